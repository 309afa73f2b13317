"""DLPack: tensors shared with other libraries, without a copy (dmlc.github.io/dlpack).

The capsules are made and taken in cpp/bindings/dlpack.cpp.
"""

import enum
import warnings

from veem import _core
from veem.device import name_of
from veem.functions.registry import method


class DLDeviceType(enum.IntEnum):
    """DLPack's numbers for kinds of devices."""

    kDLCPU = 1
    kDLCUDA = 2
    kDLCUDAHost = 3
    kDLOpenCL = 4
    kDLVulkan = 7
    kDLMetal = 8
    kDLVPI = 9
    kDLROCM = 10
    kDLROCMHost = 11
    kDLExtDev = 12
    kDLCUDAManaged = 13
    kDLOneAPI = 14


_TYPES = {"cpu": DLDeviceType.kDLCPU, "metal": DLDeviceType.kDLMetal}
_CPU = (DLDeviceType.kDLCPU, 0)


@method
def __dlpack_device__(self):
    """Where the memory is: (type, index) in DLPack's numbers."""
    return _TYPES[self._device_name], 0


@method
def __dlpack__(self, *, stream=None, max_version=None, dl_device=None, copy=None):
    """A capsule that shows the tensor's memory to another library.

    max_version: the newest version of DLPack that the other knows; None stands for one
    before 1.0. dl_device: (1, 0) copies from another device to the CPU. copy: True
    always copies, False raises where it would take one.
    """
    if self.requires_grad:
        raise BufferError(
            "Can't export tensors that require gradient, use tensor.detach()"
        )
    here = self.__dlpack_device__()
    if stream not in (None, -1):
        raise AssertionError(f"__dlpack__: stream should be None on {self.device}")
    if tuple(dl_device or here) != _CPU:
        raise BufferError(
            f"__dlpack__: a tensor on {self.device} is given as CPU memory only; pass "
            "dl_device=(1, 0), or use x.cpu()"
        )
    x = self
    if here != _CPU:
        if copy is False:
            raise BufferError(f"__dlpack__: {self.device} to the CPU needs a copy")
        x, copy = self.cpu(), True
    elif copy:
        x = self.clone()
    return _core.to_dlpack(
        x, max_version is not None and max_version[0] >= 1, bool(copy)
    )


def to_dlpack(tensor):
    """A capsule without a version that shows the tensor's memory, to be used once.

    Prefer other.from_dlpack(tensor), which asks the tensor what it needs.
    """
    return tensor.detach().__dlpack__()


def from_dlpack(ext_tensor, *, device=None, copy=None):
    """A tensor that shares the memory of another library's.

    ext_tensor: what has __dlpack__, or a capsule. device: where the tensor shall be.
    copy: True always copies, False raises where sharing is not possible.
    """
    place = None if device is None else name_of(device)
    if hasattr(ext_tensor, "__dlpack__"):
        capsule = _ask(ext_tensor, place, copy)
    else:
        capsule = ext_tensor
    x, read_only = _core.from_dlpack(capsule)
    if copy:
        x = x.clone() if capsule is ext_tensor else x
    elif read_only:
        warnings.warn(
            "The given memory is not writable, and there are no read-only tensors: "
            "writing to this tensor changes what should not change. Pass copy=True to "
            "be safe.",
            UserWarning,
            stacklevel=2,
        )
    if place not in (None, "cpu") and copy is False:
        raise ValueError(
            f"from_dlpack: {place} from the CPU needs a copy; let copy=None"
        )
    return x if place is None else x.to(place)


def _ask(other, place, copy):
    """The capsule, from libraries of every age."""
    where = tuple(map(int, other.__dlpack_device__()))
    options = {} if copy is None else {"copy": copy}
    if where != _CPU:
        if place is None:
            raise BufferError(
                f"from_dlpack: the tensor is on DLPack's device {where}, and only the "
                "CPU's memory is shared; pass device='cpu' for a copy"
            )
        options["dl_device"] = _CPU
    try:
        return other.__dlpack__(max_version=(1, 0), **options)
    except TypeError:  # older than max_version
        if options:
            raise
        return other.__dlpack__()
