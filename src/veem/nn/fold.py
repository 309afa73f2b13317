"""Windows as columns of a matrix, and back."""

from __future__ import annotations

from veem import Tensor, ops

from .conv_functions import Ints, batched, per_dim
from .module import Module


def unfold(
    input: Tensor,
    kernel_size: Ints,
    dilation: Ints = 1,
    padding: Ints = 0,
    stride: Ints = 1,
) -> Tensor:
    """Every window of an image as a column: (N, C, H, W) -> (N, C · kh · kw, windows).

    The batch may be absent. A convolution is weight.flatten(1) @ unfold(input).
    """
    images, lacks_batch = batched(input, 2, "unfold")
    sizes = (per_dim(v, 2) for v in (kernel_size, stride, padding, dilation))
    out = ops.unfold_windows(images, *sizes)
    return out.squeeze(0) if lacks_batch else out


def fold(
    input: Tensor,
    output_size: Ints,
    kernel_size: Ints,
    dilation: Ints = 1,
    padding: Ints = 0,
    stride: Ints = 1,
) -> Tensor:
    """Columns added to where unfold took them from: the gradient of unfold.

    (N, C · kh · kw, windows) -> (N, C, *output_size). The batch may be absent.
    """
    if input.ndim not in (2, 3):
        raise RuntimeError(
            "fold: expected input of (batch, channels · window, windows) or (channels "
            f"· window, windows), got shape {tuple(input.shape)}"
        )
    columns = input.unsqueeze(0) if input.ndim == 2 else input
    sizes = (kernel_size, stride, padding, dilation)
    out = ops.fold_windows(columns, *(per_dim(v, 2) for v in (output_size, *sizes)))
    return out.squeeze(0) if input.ndim == 2 else out


class Unfold(Module):
    """Every window of an image as a column; see unfold."""

    def __init__(
        self,
        kernel_size: Ints,
        dilation: Ints = 1,
        padding: Ints = 0,
        stride: Ints = 1,
    ) -> None:
        super().__init__()
        self.kernel_size, self.dilation = kernel_size, dilation
        self.padding, self.stride = padding, stride

    def forward(self, input: Tensor) -> Tensor:
        how = (self.kernel_size, self.dilation, self.padding, self.stride)
        return unfold(input, *how)

    def extra_repr(self) -> str:
        return (
            f"kernel_size={self.kernel_size}, dilation={self.dilation}, "
            f"padding={self.padding}, stride={self.stride}"
        )


class Fold(Module):
    """Columns added to where Unfold took them from; see fold."""

    def __init__(
        self,
        output_size: Ints,
        kernel_size: Ints,
        dilation: Ints = 1,
        padding: Ints = 0,
        stride: Ints = 1,
    ) -> None:
        super().__init__()
        self.output_size, self.kernel_size = output_size, kernel_size
        self.dilation, self.padding, self.stride = dilation, padding, stride

    def forward(self, input: Tensor) -> Tensor:
        how = (self.kernel_size, self.dilation, self.padding, self.stride)
        return fold(input, self.output_size, *how)

    def extra_repr(self) -> str:
        return (
            f"output_size={self.output_size}, kernel_size={self.kernel_size}, "
            f"dilation={self.dilation}, padding={self.padding}, stride={self.stride}"
        )
