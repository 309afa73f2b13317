"""Pooling: each window of a signal, an image or a volume gives one number."""

from __future__ import annotations

import inspect
import math
from collections.abc import Sequence

from veem import Tensor, ops
from veem.autograd.names import recorded_as

from .conv_functions import Ints, batched, per_dim

Pooled = Tensor | tuple[Tensor, Tensor]

# ---- the largest ---------------------------------------------------------------------


def max_pool1d(
    input: Tensor,
    kernel_size: Ints,
    stride: Ints | None = None,
    padding: Ints = 0,
    dilation: Ints = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Pooled:
    """max_pool2d with one dimension. (N, C, L) or (C, L)."""
    return _max_pool(
        1, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices
    )


@recorded_as("MaxPool2DWithIndices")
def max_pool2d(
    input: Tensor,
    kernel_size: Ints,
    stride: Ints | None = None,
    padding: Ints = 0,
    dilation: Ints = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Pooled:
    """The largest element of each window. (N, C, H, W) or (C, H, W).

    stride is kernel_size if not given. H becomes (H + 2 · padding - dilation · (kh - 1)
    - 1) / stride + 1, rounded up if ceil_mode. With return_indices also where in the
    H · W plane each element lay.
    """
    return _max_pool(
        2, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices
    )


@recorded_as("MaxPool3DWithIndices")
def max_pool3d(
    input: Tensor,
    kernel_size: Ints,
    stride: Ints | None = None,
    padding: Ints = 0,
    dilation: Ints = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Pooled:
    """max_pool2d with three dimensions. (N, C, D, H, W) or (C, D, H, W)."""
    return _max_pool(
        3, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices
    )


def adaptive_max_pool1d(
    input: Tensor, output_size: Ints, return_indices: bool = False
) -> Pooled:
    """adaptive_max_pool2d with one dimension."""
    return _adaptive_max_pool(1, input, output_size, return_indices)


@recorded_as("AdaptiveMaxPool2D")
def adaptive_max_pool2d(
    input: Tensor, output_size: Ints, return_indices: bool = False
) -> Pooled:
    """The largest elements of output_size windows, which divide an image as evenly as
    they can. (N, C, H, W) or (C, H, W); None keeps a dimension."""
    return _adaptive_max_pool(2, input, output_size, return_indices)


@recorded_as("AdaptiveMaxPool3D")
def adaptive_max_pool3d(
    input: Tensor, output_size: Ints, return_indices: bool = False
) -> Pooled:
    """adaptive_max_pool2d with three dimensions."""
    return _adaptive_max_pool(3, input, output_size, return_indices)


def _with_indices(pool):
    """The function that returns indices whether asked to or not."""

    def both(*args, **how):
        names = inspect.signature(pool).parameters
        how = {**dict(zip(names, args)), **how, "return_indices": True}
        return pool(**how)

    both.__name__ = f"{pool.__name__}_with_indices"
    both.__doc__ = f"{pool.__name__} with return_indices."
    return both


max_pool1d_with_indices = _with_indices(max_pool1d)
max_pool2d_with_indices = _with_indices(max_pool2d)
max_pool3d_with_indices = _with_indices(max_pool3d)
adaptive_max_pool1d_with_indices = _with_indices(adaptive_max_pool1d)
adaptive_max_pool2d_with_indices = _with_indices(adaptive_max_pool2d)
adaptive_max_pool3d_with_indices = _with_indices(adaptive_max_pool3d)


def max_unpool1d(
    input: Tensor,
    indices: Tensor,
    kernel_size: Ints,
    stride: Ints | None = None,
    padding: Ints = 0,
    output_size: Sequence[int] | None = None,
) -> Tensor:
    """max_unpool2d with one dimension."""
    return _max_unpool(1, input, indices, kernel_size, stride, padding, output_size)


@recorded_as("MaxUnpool2D")
def max_unpool2d(
    input: Tensor,
    indices: Tensor,
    kernel_size: Ints,
    stride: Ints | None = None,
    padding: Ints = 0,
    output_size: Sequence[int] | None = None,
) -> Tensor:
    """Puts the elements that max_pool2d took back to where `indices` say; 0 elsewhere.

    H becomes (H - 1) · stride + kh - 2 · padding, or what output_size says: a size
    that is pooled to H.
    """
    return _max_unpool(2, input, indices, kernel_size, stride, padding, output_size)


@recorded_as("MaxUnpool3D")
def max_unpool3d(
    input: Tensor,
    indices: Tensor,
    kernel_size: Ints,
    stride: Ints | None = None,
    padding: Ints = 0,
    output_size: Sequence[int] | None = None,
) -> Tensor:
    """max_unpool2d with three dimensions."""
    return _max_unpool(3, input, indices, kernel_size, stride, padding, output_size)


# ---- means ---------------------------------------------------------------------------


def avg_pool1d(
    input: Tensor,
    kernel_size: Ints,
    stride: Ints | None = None,
    padding: Ints = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:
    """avg_pool2d with one dimension. (N, C, L) or (C, L)."""
    return _avg_pool(
        1, input, kernel_size, stride, padding, ceil_mode, count_include_pad, None
    )


def avg_pool2d(
    input: Tensor,
    kernel_size: Ints,
    stride: Ints | None = None,
    padding: Ints = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """The mean of each window. (N, C, H, W) or (C, H, W); sizes as in max_pool2d.

    The sum of a window is divided by the number of its elements, those in the padding
    among them if count_include_pad; or by divisor_override. Integers must be int64;
    their means are rounded to zero.
    """
    how = (ceil_mode, count_include_pad, divisor_override)
    return _avg_pool(2, input, kernel_size, stride, padding, *how)


def avg_pool3d(
    input: Tensor,
    kernel_size: Ints,
    stride: Ints | None = None,
    padding: Ints = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """avg_pool2d with three dimensions. (N, C, D, H, W) or (C, D, H, W)."""
    how = (ceil_mode, count_include_pad, divisor_override)
    return _avg_pool(3, input, kernel_size, stride, padding, *how)


@recorded_as("SqueezeBackward1")
def adaptive_avg_pool1d(input: Tensor, output_size: Ints) -> Tensor:
    """adaptive_avg_pool2d with one dimension."""
    return _adaptive_avg_pool(1, input, output_size)


def adaptive_avg_pool2d(input: Tensor, output_size: Ints) -> Tensor:
    """Means over output_size windows that divide an image as evenly as they can.

    (N, C, H, W) or (C, H, W); None keeps a dimension.
    """
    return _adaptive_avg_pool(2, input, output_size)


def adaptive_avg_pool3d(input: Tensor, output_size: Ints) -> Tensor:
    """adaptive_avg_pool2d with three dimensions."""
    return _adaptive_avg_pool(3, input, output_size)


def lp_pool1d(
    input: Tensor,
    norm_type: float,
    kernel_size: Ints,
    stride: Ints | None = None,
    ceil_mode: bool = False,
) -> Tensor:
    """lp_pool2d with one dimension."""
    return _lp_pool(1, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool2d(
    input: Tensor,
    norm_type: float,
    kernel_size: Ints,
    stride: Ints | None = None,
    ceil_mode: bool = False,
) -> Tensor:
    """(Σ x^p)^(1/p) over each window, p being norm_type: 1 gives the sum."""
    return _lp_pool(2, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool3d(
    input: Tensor,
    norm_type: float,
    kernel_size: Ints,
    stride: Ints | None = None,
    ceil_mode: bool = False,
) -> Tensor:
    """lp_pool2d with three dimensions."""
    return _lp_pool(3, input, norm_type, kernel_size, stride, ceil_mode)


# ---- what they share -----------------------------------------------------------------


def _windows(dims, kernel_size, stride, padding):
    kernel = per_dim(kernel_size, dims, "kernel_size")
    given = stride is not None and stride != () and stride != []
    stride = per_dim(stride, dims, "stride") if given else kernel
    return kernel, stride, per_dim(padding, dims, "padding")


def _unbatched(out, lacks_batch):
    return out.squeeze(0) if lacks_batch else out


def _max_pool(
    dims, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices
):
    input, lacks_batch = batched(input, dims, f"max_pool{dims}d")
    windows = _windows(dims, kernel_size, stride, padding)
    dilation = per_dim(dilation, dims, "dilation")
    out, indices = ops.max_pool(input, *windows, dilation, ceil_mode)
    out = _unbatched(out, lacks_batch)
    return (out, _unbatched(indices, lacks_batch)) if return_indices else out


def _adaptive_max_pool(dims, input, output_size, return_indices):
    _check_sizes(dims, input, output_size)
    input, lacks_batch = batched(input, dims, f"adaptive_max_pool{dims}d")
    out, indices = ops.adaptive_max_pool(input, _sizes(dims, input, output_size))
    out = _unbatched(out, lacks_batch)
    return (out, _unbatched(indices, lacks_batch)) if return_indices else out


def _max_unpool(dims, input, indices, kernel_size, stride, padding, output_size):
    op = f"max_unpool{dims}d"
    kernel, stride, padding = _windows(dims, kernel_size, stride, padding)
    input, lacks_batch = batched(input, dims, op)
    indices = indices.unsqueeze(0) if lacks_batch else indices
    if indices.shape != input.shape:
        raise RuntimeError(
            f"{op}: expected shape of indices to be that of the input, "
            f"{tuple(input.shape)}, but got {tuple(indices.shape)}"
        )
    how = zip(input.shape[2:], kernel, stride, padding)
    size = [(n - 1) * s + k - 2 * p for n, k, s, p in how]
    if output_size is not None:
        size = _chosen_size(dims, list(output_size), size, stride)
    flat = input.flatten(2)
    out = flat.new_zeros((*flat.shape[:2], math.prod(size)))
    out = out.scatter_(2, indices.flatten(2), flat)
    return _unbatched(out.reshape((*input.shape[:2], *size)), lacks_batch)


def _chosen_size(dims, chosen, default, stride):
    if len(chosen) == dims + 2:
        chosen = chosen[2:]
    if len(chosen) != dims:
        raise ValueError(
            f"output_size should be a sequence containing {dims} or {dims + 2} "
            f"elements, but it has a length of '{len(chosen)}'"
        )
    for d, (n, usual, s) in enumerate(zip(chosen, default, stride)):
        if not usual - s < n < usual + s:
            raise ValueError(
                f'invalid output_size "{chosen}" (dim {d} must be between '
                f"{usual - s} and {usual + s})"
            )
    return chosen


def _avg_pool(dims, input, kernel_size, stride, padding, ceil_mode, counts_pad, over):
    if over == 0:
        raise RuntimeError(f"avg_pool{dims}d: divisor must be not zero")
    input, lacks_batch = batched(input, dims, f"avg_pool{dims}d")
    windows = _windows(dims, kernel_size, stride, padding)
    out = ops.avg_pool(input, *windows, ceil_mode, counts_pad, over or 0)
    return _unbatched(out, lacks_batch)


def _adaptive_avg_pool(dims, input, output_size):
    _check_sizes(dims, input, output_size)
    input, lacks_batch = batched(input, dims, f"adaptive_avg_pool{dims}d")
    size = _sizes(dims, input, output_size)
    if size == (1,) * dims and input.numel():
        out = input.mean(tuple(range(-dims, 0)), keepdim=True)
    else:
        out = ops.adaptive_avg_pool(input, size)
    return _unbatched(out, lacks_batch)


def _check_sizes(dims, input, output_size):
    if isinstance(output_size, Sequence) and dims > 1 and input.ndim <= dims:
        raise ValueError(
            f"Input dimension should be at least {dims + 1}, got {input.ndim}"
        )


def _sizes(dims, input, output_size):
    if not isinstance(output_size, Sequence):
        output_size = (output_size,) * dims
    if len(output_size) != dims:
        raise RuntimeError(f"expected an output_size of {dims} numbers: {output_size}")
    sizes = zip(output_size, input.shape[2:])
    return tuple(size if count is None else count for count, size in sizes)


def _lp_pool(dims, input, norm_type, kernel_size, stride, ceil_mode):
    kernel = per_dim(kernel_size, dims, "kernel_size")
    out = _avg_pool(dims, input**norm_type, kernel, stride, 0, ceil_mode, True, None)
    out = out.sign() * out.abs().relu()  # no gradient at 0
    return (out * math.prod(kernel)) ** (1 / norm_type)
