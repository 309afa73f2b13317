"""The base class of learning rate schedules."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Sequence
from typing import Any

from veem import Tensor

from ..optimizer import Optimizer


class LRScheduler:
    """The base class: a subclass writes get_lr(), one rate for each group.

    get_lr() computes the next rates from the present ones wherever it can, so that
    several schedules of one optimizer multiply. Where the rates are a plain function of
    the epoch too, _get_closed_form_lr() is that function: step(epoch) jumps there.

    last_epoch counts the steps so far. A scheduler made with last_epoch=-1 starts anew
    and writes the first rates at once; another number resumes there, from the
    "initial_lr" that the groups of a loaded optimizer have.
    """

    _get_lr_called_within_step = False

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"{type(optimizer).__name__} is not an Optimizer")
        self.optimizer = optimizer
        for i, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", copied(group["lr"]))
            elif "initial_lr" not in group:
                raise KeyError(
                    "param 'initial_lr' is not specified in "
                    f"param_groups[{i}] when resuming an optimizer"
                )
        self.base_lrs = [group["initial_lr"] for group in optimizer.param_groups]
        self.last_epoch = last_epoch
        optimizer._opt_called = False
        self._first_step()

    def _first_step(self) -> None:
        """The step to the first rates, which the scheduler takes by itself."""
        self._step_count = 0
        self._is_initial = True
        self.step()
        self._is_initial = False

    def _undo_first_step(self) -> None:
        self.last_epoch -= 1

    def get_lr(self) -> list[float]:
        """The rates at self.last_epoch. Called by step(); see get_last_lr()."""
        raise NotImplementedError

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "get_lr" in cls.__dict__ and cls.__module__.startswith("veem."):
            cls.get_lr = _for_step(cls.get_lr)  # type: ignore[method-assign]

    def _next_rates(self) -> list[float]:
        self._get_lr_called_within_step = True
        try:
            return self.get_lr()
        finally:
            self._get_lr_called_within_step = False

    def get_last_lr(self) -> list[float]:
        """The rates that this scheduler has set last."""
        return self._last_lr

    def step(self, epoch: int | None = None) -> None:
        """Goes on by one epoch (or to a given one) and sets the groups' rates."""
        self._warn_of_order()
        if epoch is None:
            self._step_count += 1
            self.last_epoch += 1
            self._set(self._next_rates())
        else:
            warnings.warn(
                "The epoch parameter in `scheduler.step()` was not necessary and is "
                "being deprecated where possible. Please use `scheduler.step()` to "
                "step the scheduler.",
                UserWarning,
                stacklevel=2,
            )
            self._jump(epoch)

    def _jump(self, epoch: int) -> None:
        self._step_count += 1
        self.last_epoch = epoch
        self._set(getattr(self, "_get_closed_form_lr", self._next_rates)())

    def _set(self, rates: Sequence[float]) -> None:
        for group, rate in zip(self.optimizer.param_groups, rates):
            set_lr(group, rate)
        self._last_lr = self._rates()

    def _rates(self) -> list[float]:
        return [copied(group["lr"]) for group in self.optimizer.param_groups]

    def _warn_of_order(self) -> None:
        if self._step_count == 1 and not getattr(self.optimizer, "_opt_called", True):
            warnings.warn(
                "Detected call of `lr_scheduler.step()` before `optimizer.step()`. You "
                "should call them in the opposite order: `optimizer.step()` before "
                "`lr_scheduler.step()`. Else the schedule's first value is skipped.",
                UserWarning,
                stacklevel=3,
            )

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimizer (and plain functions, which cannot be saved)."""
        return {name: v for name, v in self.__dict__.items() if name != "optimizer"}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.__dict__.update(state_dict)


def _for_step(get_lr: Callable) -> Callable:
    """get_lr(), with a warning where it is not step() that calls it: it goes on from
    the present rates, so that it does not tell them."""

    @functools.wraps(get_lr)
    def warned(self: LRScheduler) -> list[float]:
        if not self._get_lr_called_within_step:
            warnings.warn(
                "To get the last learning rate computed by the scheduler, "
                "please use `get_last_lr()`.",
                UserWarning,
                stacklevel=2,
            )
        return get_lr(self)

    return warned


def set_lr(group: dict[str, Any], rate: Any) -> None:
    """Sets a group's rate; one that is a tensor stays that tensor."""
    if isinstance(group["lr"], Tensor):
        group["lr"].fill_(rate)
    else:
        group["lr"] = rate


def copied(rate: Any) -> Any:
    return rate.clone() if isinstance(rate, Tensor) else rate


def per_group(name: str, value: Any, optimizer: Optimizer) -> list:
    """One value for each group, from one for all or from a list of them."""
    count = len(optimizer.param_groups)
    if not isinstance(value, (list, tuple)):
        return [value] * count
    if len(value) != count:
        raise ValueError(
            f"Expected {count} values of {name}, one for each group of parameters, "
            f"but got {len(value)}"
        )
    return list(value)
