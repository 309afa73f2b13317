"""Starting values of parameters: functions that fill a tensor in place and return it.

Random numbers are drawn in PyTorch's order: the same seed gives the same parameters.
"""

from __future__ import annotations

import functools
import math
import warnings
from collections.abc import Callable

import numpy as np

import veem
from veem import Tensor

__all__ = [
    "calculate_gain",
    "constant_",
    "dirac_",
    "eye_",
    "kaiming_normal_",
    "kaiming_uniform_",
    "normal_",
    "ones_",
    "orthogonal_",
    "sparse_",
    "trunc_normal_",
    "uniform_",
    "xavier_normal_",
    "xavier_uniform_",
    "zeros_",
]

_LINEAR = (
    "linear",
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
)


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """The factor by which a layer's weights grow to make up for its nonlinearity.

    `param` is leaky_relu's negative slope (0.01 if not given).
    """
    if nonlinearity in _LINEAR or nonlinearity == "sigmoid":
        return 1.0
    if nonlinearity == "tanh":
        return 5.0 / 3
    if nonlinearity == "relu":
        return math.sqrt(2.0)
    if nonlinearity == "leaky_relu":
        slope = 0.01 if param is None else param
        if isinstance(slope, bool) or not isinstance(slope, (int, float)):
            raise ValueError(f"negative_slope {param} not a valid number")
        return math.sqrt(2.0 / (1 + slope**2))
    if nonlinearity == "selu":
        return 3.0 / 4
    raise ValueError(f"Unsupported nonlinearity {nonlinearity}")


# --- plain fills ---------------------------------------------------------------------


@veem.no_grad()
def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator=None) -> Tensor:
    """Numbers from [a, b)."""
    return tensor.uniform_(a, b, generator=generator)


@veem.no_grad()
def normal_(
    tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator=None
) -> Tensor:
    return tensor.normal_(mean, std, generator=generator)


@veem.no_grad()
def constant_(tensor: Tensor, val: float) -> Tensor:
    return tensor.fill_(val)


@veem.no_grad()
def ones_(tensor: Tensor) -> Tensor:
    return tensor.fill_(1.0)


@veem.no_grad()
def zeros_(tensor: Tensor) -> Tensor:
    return tensor.zero_()


@veem.no_grad()
def eye_(tensor: Tensor) -> Tensor:
    """The identity of a linear layer: ones on the diagonal of a matrix."""
    if tensor.ndim != 2:
        raise ValueError("Only tensors with 2 dimensions are supported")
    return tensor.copy_(veem.eye(*tensor.shape, dtype=tensor.dtype))


@veem.no_grad()
def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """The identity of a convolution: channel i of a group gives channel i.

    tensor: (out channels, in channels / groups, *kernel) with a kernel of 1 to 3 dims.
    """
    if tensor.ndim not in (3, 4, 5):
        raise ValueError("Only tensors with 3, 4, or 5 dimensions are supported")
    if tensor.shape[0] % groups:
        raise ValueError("dim 0 must be divisible by groups")
    tensor.zero_()
    out_channels = tensor.shape[0] // groups
    center = tuple(size // 2 for size in tensor.shape[2:])
    for group in range(groups):
        for i in range(min(out_channels, tensor.shape[1])):
            index = (group * out_channels + i, i, *center)
            tensor[index] = 1.0
    return tensor


@veem.no_grad()
def trunc_normal_(
    tensor: Tensor,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    generator=None,
) -> Tensor:
    """A normal distribution, cut to [a, b] by rejection sampling.

    Proposals are normal where [a, b] holds most of the mass. Else they are uniform and
    kept with a probability proportional to the density.
    """
    if mean < a - 2 * std or mean > b + 2 * std:
        warnings.warn(
            "mean is more than 2 std from [a, b] in nn.init.trunc_normal_. "
            "The distribution of values may be incorrect.",
            stacklevel=3,
        )

    def mass_below(x: float) -> float:
        return (1 + math.erf((x - mean) / std / math.sqrt(2))) / 2

    def log_density(x):
        return -0.5 * ((x - mean) / std) ** 2

    def propose_normal():
        x = veem.empty_like(tensor).normal_(mean, std, generator=generator)
        return x, (x < a) | (x > b)

    def propose_uniform():
        x = veem.empty_like(tensor).uniform_(a, b, generator=generator)
        u = veem.empty_like(tensor).uniform_(0, 1, generator=generator)
        return x, u.log() > log_density(x) - peak

    peak = log_density(min(max(mean, a), b))
    mostly_inside = mass_below(b) - mass_below(a) > 0.3
    propose = propose_normal if mostly_inside else propose_uniform
    value, rejected = propose()
    while rejected.any():
        proposal, refused = propose()
        value = veem.where(rejected, proposal, value)
        rejected = rejected & refused
    return tensor.copy_(value)


# --- fills that keep the variance of activations or gradients -------------------------


def _fans(tensor: Tensor) -> tuple[int, int]:
    """How many inputs make one output, and how many outputs one input reaches."""
    if tensor.ndim < 2:
        raise ValueError(
            "Fan in and fan out can not be computed for tensor with fewer than 2 "
            "dimensions"
        )
    kernel = math.prod(tensor.shape[2:])
    return tensor.shape[1] * kernel, tensor.shape[0] * kernel


def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator=None) -> Tensor:
    """Variance gain² · 2 / (fan_in + fan_out).

    Glorot & Bengio, "Understanding the difficulty of training deep feedforward neural
    networks", 2010.
    """
    bound = gain * math.sqrt(6.0 / sum(_fans(tensor)))
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator=None) -> Tensor:
    """xavier_uniform_'s variance with normal numbers."""
    return normal_(tensor, 0.0, gain * math.sqrt(2.0 / sum(_fans(tensor))), generator)


def kaiming_uniform_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator=None,
) -> Tensor:
    """Variance gain² / fan. He et al., "Delving deep into rectifiers", 2015.

    `a` is leaky_relu's slope, `mode` "fan_in" (keeps the variance of activations) or
    "fan_out" (of gradients).
    """
    if tensor.numel() == 0:
        return _nothing_to_fill(tensor)
    bound = math.sqrt(3.0) * _kaiming_std(tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator=None,
) -> Tensor:
    """kaiming_uniform_'s variance with normal numbers."""
    if tensor.numel() == 0:
        return _nothing_to_fill(tensor)
    std = _kaiming_std(tensor, a, mode, nonlinearity)
    return normal_(tensor, 0.0, std, generator)


def _kaiming_std(tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    modes = ["fan_in", "fan_out"]
    if mode.lower() not in modes:
        raise ValueError(f"Mode {mode} not supported, please use one of {modes}")
    fan = _fans(tensor)[modes.index(mode.lower())]
    return calculate_gain(nonlinearity, a) / math.sqrt(fan)


def _nothing_to_fill(tensor: Tensor) -> Tensor:
    warnings.warn("Initializing zero-element tensors is a no-op", stacklevel=3)
    return tensor


@veem.no_grad()
def orthogonal_(tensor: Tensor, gain: float = 1, generator=None) -> Tensor:
    """Orthonormal rows (or columns, if there are more rows), times gain.

    Saxe et al., "Exact solutions to the nonlinear dynamics of learning in deep linear
    neural networks", 2013. The Q of a random matrix's QR, with the signs that make R's
    diagonal positive: so Q is uniform among the orthogonal matrices.
    """
    if tensor.ndim < 2:
        raise ValueError("Only tensors with 2 or more dimensions are supported")
    if tensor.numel() == 0:
        return tensor
    rows = tensor.shape[0]
    flat = tensor.new_empty((rows, tensor.numel() // rows))
    matrix = flat.normal_(0, 1, generator=generator).cpu().numpy()
    wide = matrix.shape[0] < matrix.shape[1]
    q, r = np.linalg.qr(matrix.T if wide else matrix)
    q = q * np.sign(np.diag(r))
    q = np.ascontiguousarray(q.T if wide else q)
    return tensor.copy_(veem.from_numpy(q).view(tensor.shape)).mul_(gain)


@veem.no_grad()
def sparse_(
    tensor: Tensor, sparsity: float, std: float = 0.01, generator=None
) -> Tensor:
    """Normal numbers, a fraction `sparsity` of each column (of a matrix) set to zero.

    Martens, "Deep learning via Hessian-free optimization", 2010.
    """
    if tensor.ndim != 2:
        raise ValueError("Only tensors with 2 dimensions are supported")
    rows, columns = tensor.shape
    zeros = math.ceil(sparsity * rows)
    tensor.normal_(0, std, generator=generator)
    for column in range(columns):
        tensor[veem.randperm(rows)[:zeros], column] = 0
    return tensor


# --- the old names, without an underscore --------------------------------------------


def _old_name(new: Callable) -> Callable:
    name = new.__name__

    @functools.wraps(new)
    def old(*args, **kwargs):
        warnings.warn(
            f"`nn.init.{name[:-1]}` is now deprecated in favor of `nn.init.{name}`.",
            FutureWarning,
            stacklevel=2,
        )
        return new(*args, **kwargs)

    return old


for _new in (
    uniform_,
    normal_,
    constant_,
    eye_,
    dirac_,
    xavier_uniform_,
    xavier_normal_,
    kaiming_uniform_,
    kaiming_normal_,
    orthogonal_,
    sparse_,
):
    globals()[_new.__name__[:-1]] = _old_name(_new)
