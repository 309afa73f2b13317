"""PyTorch's names for storages and for places."""

from veem import _core
from veem.device import device as Device
from veem.device import name_of

UNTYPED = "torch.storage.UntypedStorage"
STORAGES = {
    "torch.FloatStorage": _core.float32,
    "torch.DoubleStorage": _core.float64,
    "torch.HalfStorage": _core.float16,
    "torch.BFloat16Storage": _core.bfloat16,
    "torch.LongStorage": _core.int64,
    "torch.IntStorage": _core.int32,
    "torch.ShortStorage": _core.int16,
    "torch.CharStorage": _core.int8,
    "torch.ByteStorage": _core.uint8,
    "torch.BoolStorage": _core.bool,
}
STORAGE_OF = {dtype.name: name for name, dtype in STORAGES.items()}


def location_of(device):
    """PyTorch's name for where a storage is: "cpu", "cuda:0", "mps"."""
    if device.type == "cuda":
        return f"cuda:{device.index or 0}"
    return "mps" if device.type == "metal" else str(device)


def restorer(map_location):
    """The function (storage, location) -> storage where it shall be.

    map_location: None (where it was), a device or its name (all there), a dict of
    locations, or a function (storage on the CPU, location) -> storage or None.
    """
    if map_location is None:
        return _restore
    if isinstance(map_location, (str, Device)):
        return lambda storage, _: _restore(storage, map_location)
    if isinstance(map_location, dict):
        places = {str(k): v for k, v in map_location.items()}
        return lambda storage, old: _restore(storage, places.get(old, old))
    if not callable(map_location):
        raise TypeError(
            "load: map_location must be a device, its name, a dict or a function, got "
            f"{map_location!r}"
        )

    def restore(storage, location):
        placed = map_location(storage, location)
        return _restore(storage, location) if placed is None else placed

    return restore


def _restore(storage, location):
    try:
        name = name_of(location)
    except (RuntimeError, AssertionError) as error:
        raise RuntimeError(
            f"a storage belongs on {location!s:.40} ({error}); load with "
            "map_location='cpu', or another device"
        ) from None
    return storage.to(name)
