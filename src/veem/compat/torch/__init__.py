"""The names of torch that veem itself does not have.

What was a choice of hardware or of a compiler is accepted where it changes no result.
"""

import math

import veem
from veem import printing
from veem.autograd import Function
from veem.compat.legacy import TensorType, Variable, tensor_types, type_named
from veem.compat.torch.amp import GradScaler, autocast
from veem.compat.torch.compiler import compile
from veem.compat.torch.version import __version__
from veem.layout import memory_format
from veem.nn import functional as _F

inf, nan, pi, e = math.inf, math.nan, math.pi, math.e
newaxis = None
globals().update(tensor_types())

set_printoptions = printing.set_printoptions
channels_last = memory_format("channels_last")  # refused where it is used
channels_last_3d = memory_format("channels_last_3d")
legacy_contiguous_format = veem.contiguous_format

# Functions that torch.nn.functional has too, with the same arguments.
for _name in """adaptive_avg_pool1d avg_pool1d bilinear channel_shuffle conv1d conv2d
conv3d conv_transpose1d conv_transpose2d conv_transpose3d cosine_similarity group_norm
layer_norm max_pool1d max_pool2d max_pool3d pairwise_distance pixel_shuffle
pixel_unshuffle rms_norm""".split():
    globals()[_name] = getattr(_F, _name)


def dropout(input, p, train):
    """nn.functional.dropout; here all arguments have to be given."""
    return _F.dropout(input, p, train)


def embedding(weight, indices, padding_idx=-1, scale_grad_by_freq=False, sparse=False):
    """nn.functional.embedding with the weight first."""
    padding_idx = None if padding_idx < 0 else padding_idx
    return _F.embedding(
        indices,
        weight,
        padding_idx,
        scale_grad_by_freq=scale_grad_by_freq,
        sparse=sparse,
    )


# ---- settings ----------------------------------------------------------------------

_settings = {"precision": "highest", "deterministic": False, "warn_only": False}


def set_float32_matmul_precision(precision):
    """ "highest", "high" or "medium"; products of float32 are always the highest."""
    if precision not in ("highest", "high", "medium"):
        raise RuntimeError(f"Invalid precision {precision!r}: highest, high or medium")
    _settings["precision"] = precision


def get_float32_matmul_precision():
    """What was set, which changes nothing."""
    return _settings["precision"]


def use_deterministic_algorithms(mode, *, warn_only=False):
    """veem's results are the same in every run on a device, with any mode."""
    _settings.update(deterministic=mode, warn_only=warn_only)


def are_deterministic_algorithms_enabled():
    """What was set, which changes nothing."""
    return _settings["deterministic"]


def is_deterministic_algorithms_warn_only_enabled():
    """What was set, which changes nothing."""
    return _settings["warn_only"]


def set_num_interop_threads(number):
    """veem runs one op at a time, on as many threads as set_num_threads says."""


def get_num_interop_threads():
    """veem runs one op at a time."""
    return 1


def set_flush_denormal(mode):
    """False: it cannot be set, subnormal numbers are kept."""
    return False


def set_default_tensor_type(t):
    """set_default_dtype, by a tensor type of the CPU or its name."""
    kind = t if isinstance(t, TensorType) else type_named(t)
    if kind.is_cuda:
        raise TypeError(f"type {kind} not available")
    veem.set_default_dtype(kind.dtype)


def get_default_device():
    """Where tensors are made unless device= says otherwise: the CPU."""
    return veem.device("cpu")


def set_default_device(device):
    """Accepts the CPU; tensors are made elsewhere by device= or .to(device)."""
    if device is not None and veem.device(device).type != "cpu":
        raise NotImplementedError(
            f"torch.set_default_device({device!s}): veem makes tensors on the CPU "
            "unless device= is given"
        )


def typename(obj):
    """The type of a tensor, or the name of an object's class."""
    if isinstance(obj, veem.Tensor):
        return obj.type()
    module = type(obj).__module__
    name = type(obj).__qualname__
    return name if module in ("builtins", None) else f"{module}.{name}"


def is_storage(obj):
    """Whether an object is the memory of tensors: x.untyped_storage()."""
    return isinstance(obj, veem.UntypedStorage)


def is_autocast_enabled(device_type=None):
    """False: see torch.amp.autocast."""
    return False


def fill(input, value):
    """A tensor like input, full of value."""
    return veem.full_like(input, value)
