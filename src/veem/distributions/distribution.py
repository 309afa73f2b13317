"""The base class of distributions, and what their parameters share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, TypeVar

import veem
from veem import Size, Tensor

from .constraints import Constraint

Self = TypeVar("Self", bound="Distribution")
EPS = {"float16": 2**-10, "bfloat16": 2**-7, "float32": 2**-23, "float64": 2**-52}


class Distribution:
    """Random tensors of shape sample_shape + batch_shape + event_shape.

    batch_shape counts independent distributions, event_shape is that of one draw. A
    subclass names its parameters in arg_constraints and its values in support; both
    are checked unless validate_args is False. rsample() lets gradients through.
    """

    has_rsample = False
    has_enumerate_support = False
    arg_constraints: ClassVar[Mapping[str, Constraint]] = {}
    support: Any = None
    _validate_args = __debug__

    def __init__(
        self,
        batch_shape: tuple[int, ...] = (),
        event_shape: tuple[int, ...] = (),
        validate_args: bool | None = None,
    ) -> None:
        self._batch_shape, self._event_shape = Size(batch_shape), Size(event_shape)
        if validate_args is not None:
            self._validate_args = validate_args
        if self._validate_args:
            self._check_parameters()

    @staticmethod
    def set_default_validate_args(value: bool) -> None:
        if value not in (True, False):
            raise ValueError
        Distribution._validate_args = value

    def _check_parameters(self) -> None:
        for name, constraint in self.arg_constraints.items():
            value = self.__dict__.get(name)
            if value is not None and not constraint.check(value).all():
                raise ValueError(
                    f"Expected parameter {name} ({type(value).__name__} of shape "
                    f"{tuple(value.shape)}) of distribution {self!r} to satisfy the "
                    f"constraint {constraint!r}, but found invalid values:\n{value}"
                )

    def _validate_sample(self, value: Any) -> None:
        """Raises unless value could have come from this distribution."""
        if not isinstance(value, Tensor):
            raise ValueError("The value argument to log_prob must be a Tensor")
        own = self.batch_shape + self.event_shape
        if value.shape[value.ndim - len(self.event_shape) :] != self.event_shape:
            raise ValueError(
                "The right-most size of value must match event_shape: "
                f"{value.shape} vs {self.event_shape}."
            )
        for a, b in zip(reversed(value.shape), reversed(own)):
            if a != 1 and b != 1 and a != b:
                raise ValueError(
                    "Value is not broadcastable with batch_shape+event_shape: "
                    f"{value.shape} vs {own}."
                )
        if not self.support.check(value).all():
            raise ValueError(
                f"Expected value argument ({type(value).__name__} of shape "
                f"{tuple(value.shape)}) to be within the support ({self.support!r}) of "
                f"the distribution {self!r}, but found invalid values:\n{value}"
            )

    @property
    def batch_shape(self) -> Size:
        return self._batch_shape

    @property
    def event_shape(self) -> Size:
        return self._event_shape

    def _extended_shape(self, sample_shape: Any = ()) -> Size:
        return Size(sample_shape) + self.batch_shape + self.event_shape

    # --- what a subclass writes --------------------------------------------------

    @property
    def mean(self) -> Tensor:
        raise NotImplementedError

    @property
    def mode(self) -> Tensor:
        raise NotImplementedError(f"{type(self).__name__} does not implement mode")

    @property
    def variance(self) -> Tensor:
        raise NotImplementedError

    @property
    def stddev(self) -> Tensor:
        return self.variance.sqrt()

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """Draws that are differentiable functions of the parameters."""
        raise NotImplementedError

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the probability, or its density, of a value."""
        raise NotImplementedError

    def cdf(self, value: Tensor) -> Tensor:
        """The probability of at most this value."""
        raise NotImplementedError

    def icdf(self, value: Tensor) -> Tensor:
        """The value below which draws are with this probability."""
        raise NotImplementedError

    def entropy(self) -> Tensor:
        """The mean of -log_prob."""
        raise NotImplementedError

    def enumerate_support(self, expand: bool = True) -> Tensor:
        """All values, along a new first dimension; expanded to batch_shape or not."""
        raise NotImplementedError

    # --- what follows ------------------------------------------------------------

    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Draws without gradients."""
        with veem.no_grad():
            return self.rsample(sample_shape)

    def perplexity(self) -> Tensor:
        return self.entropy().exp()

    def expand(self: Self, batch_shape: Any) -> Self:
        """The same distribution for a larger batch, whose parameters are views."""
        new, batch = type(self).__new__(type(self)), Size(batch_shape)
        for name, constraint in self.arg_constraints.items():
            value = self.__dict__.get(name)
            if value is not None:
                event = value.shape[value.ndim - constraint.event_dim :]
                new.__dict__[name] = value.expand(batch + event)
        Distribution.__init__(new, batch, self.event_shape, validate_args=False)
        new._validate_args = self._validate_args
        return new

    def __repr__(self) -> str:
        given = {
            n: self.__dict__[n] for n in self.arg_constraints if n in self.__dict__
        }
        words = [f"{n}: {v if v.numel() == 1 else v.size()}" for n, v in given.items()]
        return f"{type(self).__name__}({', '.join(words)})"


class lazy:
    """A property that is computed at its first use and then kept."""

    def __init__(self, compute: Callable) -> None:
        self.compute, self.name = compute, compute.__name__

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None:
            return self
        with veem.enable_grad():
            value = self.compute(instance)
        instance.__dict__[self.name] = value
        return value


def broadcast_all(*values: Any) -> list[Tensor]:
    """Tensors of one shape, from tensors and numbers."""
    first = next((v for v in values if isinstance(v, Tensor)), None)
    for value in values:
        if not isinstance(value, (Tensor, int, float)):
            raise ValueError(
                "Input arguments must all be instances of Number or Tensor, but got "
                f"{type(value).__name__}"
            )
    like = {} if first is None else {"dtype": first.dtype, "device": first.device}
    if first is None:
        like["dtype"] = veem.get_default_dtype()
    tensors = [v if isinstance(v, Tensor) else veem.tensor(v, **like) for v in values]
    return list(veem.broadcast_tensors(*tensors))


def either(probs: Any, logits: Any) -> bool:
    """Whether probs are given; exactly one of the two must be."""
    if (probs is None) == (logits is None):
        raise ValueError("Either `probs` or `logits` must be specified, but not both.")
    return probs is not None


def clamp_probs(probs: Tensor) -> Tensor:
    """Kept off 0 and 1, whose logarithms are infinite."""
    eps = EPS[probs.dtype.name]
    return probs.clamp(min=eps, max=1 - eps)


def standard_normal(like: Tensor, shape: Size) -> Tensor:
    zeros = veem.zeros(shape, dtype=like.dtype, device=like.device)
    return veem.normal(zeros, veem.ones_like(zeros))
