"""Normalisation of channels over a batch, or within each of its elements.

The moments come from the batch that is there or, in evaluation, from averages that were
kept while training.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

import veem
from veem import Tensor, ops
from veem.autograd.names import recorded_as
from veem.functions.registry import in_float32

from . import init
from .module import Module
from .norm import channel_norm
from .parameter import Parameter

# With fewer neighbouring elements to a channel, channels are laid out together first.
_WORTH_WALKING = 16


@recorded_as("NativeBatchNorm")
def batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """(x - mean) / √(var + eps) · weight + bias, channel by channel.

    input (N, C, *); the others (C). In training the moments are the batch's, over all
    but C, and the running ones move towards them by `momentum` (var as N / (N - 1)
    times the batch's); otherwise the running ones are used.
    """
    if tuple(input.shape) == (0,):
        return input.clone()  # no element of no channel, as PyTorch takes it
    _check_sizes(input, running_mean, running_var, weight, bias)
    if not training:
        if running_mean is None or running_var is None:
            raise RuntimeError(
                "batch_norm: Expected running_mean and running_var to be defined when "
                "training=False"
            )
        return _with_moments(input, running_mean, running_var, weight, bias, eps)
    count = input.numel() // max(input.shape[1], 1)
    _need_several(input, count, "Expected more than 1 value per channel when training")
    if math.prod(input.shape[2:]) < _WORTH_WALKING:
        together = input.transpose(0, 1).contiguous().unsqueeze(0)
        out, mean, var = channel_norm(together, weight, bias, 0, eps)
        out = out.squeeze(0).transpose(0, 1).contiguous()
    else:
        out, mean, var = channel_norm(input, weight, bias, 0, eps)
    _move(running_mean, running_var, mean, var, count, momentum)
    return out


@recorded_as("View")
def instance_norm(
    input: Tensor,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """(x - mean) / √(var + eps) · weight + bias for each channel of each element.

    input (N, C, *); the others (C). With use_input_stats the moments are taken over *,
    and the running ones move towards their mean over N; else those are used.
    """
    _check_sizes(input, running_mean, running_var, weight, bias)
    if not use_input_stats:
        if running_mean is None or running_var is None:
            raise RuntimeError(
                "instance_norm: Expected running_mean and running_var to be defined "
                "when use_input_stats=False"
            )
        return _with_moments(input, running_mean, running_var, weight, bias, eps)
    count = math.prod(input.shape[2:])
    _need_several(
        input, count, "Expected more than 1 spatial element when training", "size "
    )
    out, mean, var = channel_norm(input, weight, bias, input.shape[1], eps)
    if running_mean is not None or running_var is not None:
        _move(running_mean, running_var, mean.mean(0), var.mean(0), count, momentum)
    return out


@in_float32
def _with_moments(
    input: Tensor,
    mean: Tensor,
    var: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    eps: float,
) -> Tensor:
    """With moments that are known."""
    given = (mean, var, weight, bias)
    alike = all(t is None or t.dtype == input.dtype for t in given)
    if alike and math.prod(input.shape[2:]) >= _WORTH_WALKING:
        return ops.channel_norm_given(input, *given, eps)
    scale = (var.to(input.dtype) + eps).rsqrt()
    scale = scale if weight is None else scale * weight
    shift = -mean * scale if bias is None else bias - mean * scale
    along = (-1,) + (1,) * (input.ndim - 2)
    return ops.addcmul(shift.reshape(along), input, scale.reshape(along), 1)


def _move(
    running_mean: Tensor | None,
    running_var: Tensor | None,
    mean: Tensor,
    var: Tensor,
    count: int,
    momentum: float,
) -> None:
    with veem.no_grad():
        if running_mean is not None:
            running_mean.mul_(1 - momentum).add_(mean.detach() * momentum)
        if running_var is not None:
            unbiased = count / max(count - 1, 1)
            running_var.mul_(1 - momentum).add_(var.detach() * (momentum * unbiased))


def _check_sizes(input: Tensor, *tensors: Tensor | None) -> None:
    if input.ndim < 2:
        raise RuntimeError(
            f"batch_norm: expected an input (N, C, ...), got shape {list(input.shape)}"
        )
    names = ("running_mean", "running_var", "weight", "bias")
    for name, tensor in zip(names, tensors):
        if tensor is not None and tensor.numel() != input.shape[1]:
            raise RuntimeError(
                f"batch_norm: {name} should contain {input.shape[1]} elements, one for "
                f"each channel, not {tensor.numel()}"
            )


def _need_several(input: Tensor, count: int, what: str, of: str = "") -> None:
    if count == 1:
        raise ValueError(f"{what}, got input {of}{list(input.shape)}")


class _Norm(Module):
    """The parameters and running moments of batch and instance norm."""

    _version = 2  # since 2 there is num_batches_tracked
    _ranks: tuple[int, ...] = ()  # of inputs

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.affine, self.track_running_stats = affine, track_running_stats
        place = {"device": device, "dtype": dtype}
        for name, wanted in ("weight", affine), ("bias", affine and bias):
            value = Parameter(veem.empty(num_features, **place)) if wanted else None
            self.register_parameter(name, value)
        for name, make in ("running_mean", veem.zeros), ("running_var", veem.ones):
            value = make(num_features, **place) if track_running_stats else None
            self.register_buffer(name, value)
        tracked = veem.tensor(0, device=device) if track_running_stats else None
        self.register_buffer("num_batches_tracked", tracked)
        self.reset_parameters()

    def reset_running_stats(self) -> None:
        """Running mean 0, running variance 1, no batch seen."""
        if self.track_running_stats:
            self.running_mean.zero_()
            self.running_var.fill_(1)
            self.num_batches_tracked.zero_()

    def reset_parameters(self) -> None:
        self.reset_running_stats()
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def _check_input_dim(self, input: Tensor) -> None:
        if input.ndim not in self._ranks:
            wanted = " or ".join(f"{rank}D" for rank in self._ranks)
            raise ValueError(f"expected {wanted} input (got {input.ndim}D input)")

    def _load_from_state_dict(
        self, state_dict: Any, prefix: str, local_metadata: Any, *args: Any
    ) -> None:
        version = local_metadata.get("version")
        key = prefix + "num_batches_tracked"
        if (version is None or version < 2) and self.track_running_stats:
            state_dict.setdefault(key, self.num_batches_tracked)
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *args)

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, "
            f"affine={self.affine}, bias={self.bias is not None}, "
            f"track_running_stats={self.track_running_stats}"
        )


class _BatchNorm(_Norm):
    """In training normalises each channel by its mean and variance over the batch.

    y = (x - E[x]) / √(Var[x] + eps) · weight + bias. With track_running_stats averages
    of both are kept, which take their place after eval(): each batch moves them by
    `momentum`, or they are plain means where that is None.
    Ioffe & Szegedy, "Batch normalization", 2015.
    """

    def forward(self, input: Tensor) -> Tensor:
        self._check_input_dim(input)
        momentum = 0.0 if self.momentum is None else self.momentum
        moves = self.training and self.track_running_stats
        if moves and self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
            if self.momentum is None:
                momentum = 1.0 / self.num_batches_tracked.item()
        uses = moves or not self.training
        training = self.training or (
            self.running_mean is None and self.running_var is None
        )
        return batch_norm(
            input,
            self.running_mean if uses else None,
            self.running_var if uses else None,
            self.weight,
            self.bias,
            training,
            momentum,
            self.eps,
        )


class BatchNorm1d(_BatchNorm):
    """Batch norm of (N, C) or (N, C, L)."""

    __doc__ += "\n" + _BatchNorm.__doc__  # type: ignore[operator]
    _ranks = (2, 3)


class BatchNorm2d(_BatchNorm):
    """Batch norm of (N, C, H, W)."""

    __doc__ += "\n" + _BatchNorm.__doc__  # type: ignore[operator]
    _ranks = (4,)


class BatchNorm3d(_BatchNorm):
    """Batch norm of (N, C, D, H, W)."""

    __doc__ += "\n" + _BatchNorm.__doc__  # type: ignore[operator]
    _ranks = (5,)


class SyncBatchNorm(_BatchNorm):
    """Batch norm over the batches of several processes, of which veem has one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise NotImplementedError(
            "SyncBatchNorm: veem trains in one process; use nn.BatchNorm1d, "
            "BatchNorm2d or BatchNorm3d"
        )


class _InstanceNorm(_Norm):
    """Normalises each channel of each element of the batch by its own moments.

    y = (x - E[x]) / √(Var[x] + eps) · weight + bias. Without affine there are no weight
    and bias; with track_running_stats averages of the moments are used after eval().
    Ulyanov et al., "Instance normalization", 2016.
    """

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(
            num_features,
            eps,
            momentum,
            affine,
            track_running_stats,
            device,
            dtype,
            bias=bias,
        )

    def forward(self, input: Tensor) -> Tensor:
        self._check_input_dim(input)
        alone = self._ranks[0]  # the rank of one element of a batch
        at = input.ndim - alone
        if input.shape[at] != self.num_features:
            size = input.shape[at]
            if self.affine:
                raise ValueError(
                    f"expected input's size at dim={at} to match num_features "
                    f"({self.num_features}), but got: {size}."
                )
            warnings.warn(
                f"input's size at dim={at} does not match num_features. You can "
                "silence this warning by not passing in num_features, which is not "
                "used because affine=False",
                stacklevel=2,
            )
        out = instance_norm(
            input.unsqueeze(0) if input.ndim == alone else input,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            self.training or not self.track_running_stats,
            0.0 if self.momentum is None else self.momentum,
            self.eps,
        )
        return out.squeeze(0) if input.ndim == alone else out


class InstanceNorm1d(_InstanceNorm):
    """Instance norm of (N, C, L) or (C, L)."""

    __doc__ += "\n" + _InstanceNorm.__doc__  # type: ignore[operator]
    _ranks = (2, 3)


class InstanceNorm2d(_InstanceNorm):
    """Instance norm of (N, C, H, W) or (C, H, W)."""

    __doc__ += "\n" + _InstanceNorm.__doc__  # type: ignore[operator]
    _ranks = (3, 4)


class InstanceNorm3d(_InstanceNorm):
    """Instance norm of (N, C, D, H, W) or (C, D, H, W)."""

    __doc__ += "\n" + _InstanceNorm.__doc__  # type: ignore[operator]
    _ranks = (4, 5)
