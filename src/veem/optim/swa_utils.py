"""Averages of a model's parameters along its training."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from copy import deepcopy
from itertools import chain
from typing import Any

import veem
from veem import Tensor
from veem.nn import Module
from veem.nn.batch_norm import _BatchNorm

from .lr_scheduler.base import LRScheduler, per_group
from .optimizer import Optimizer

__all__ = [
    "SWALR",
    "AveragedModel",
    "get_ema_avg_fn",
    "get_ema_multi_avg_fn",
    "get_swa_avg_fn",
    "get_swa_multi_avg_fn",
    "update_bn",
]


def get_ema_avg_fn(decay: float = 0.999) -> Callable:
    """average ← decay · average + (1 - decay) · value: old values fade."""
    if not 0 <= decay <= 1:
        raise ValueError(
            f"Invalid decay value {decay} provided. "
            "Please provide a value in [0,1] range."
        )

    @veem.no_grad()
    def average(averaged: Tensor, value: Tensor, num_averaged: Any) -> Tensor:
        return decay * averaged + (1 - decay) * value

    return average


def get_swa_avg_fn() -> Callable:
    """average ← average + (value - average) / (n + 1): all values count the same."""

    @veem.no_grad()
    def average(averaged: Tensor, value: Tensor, num_averaged: Any) -> Tensor:
        return averaged + (value - averaged) / (num_averaged + 1)

    return average


def _in_place(average: Callable) -> Callable:
    """The function of lists of tensors that does `average` in place, one by one."""

    @veem.no_grad()
    def update(averaged: Iterable, values: Iterable, num_averaged: Any) -> None:
        for old, value in zip(averaged, values):
            old.copy_(average(old, value, num_averaged))

    return update


def get_ema_multi_avg_fn(decay: float = 0.999) -> Callable:
    """get_ema_avg_fn's average of lists of tensors, in place."""
    return _in_place(get_ema_avg_fn(decay))


def get_swa_multi_avg_fn() -> Callable:
    """get_swa_avg_fn's average of lists of tensors, in place."""
    return _in_place(get_swa_avg_fn())


class AveragedModel(Module):
    """A copy of a model whose parameters are the average of those it has been shown.

    update_parameters(model) shows it the next; the first are copied. avg_fn(averaged,
    value, n) returns the next average of a tensor, multi_avg_fn changes lists of them
    in place; without either all count the same (Izmailov et al., "Averaging weights
    leads to wider optima and better generalization", 2018). Buffers are averaged too
    if use_buffers, else copied.
    """

    n_averaged: Tensor

    def __init__(
        self,
        model: Module,
        device: Any = None,
        avg_fn: Callable | None = None,
        multi_avg_fn: Callable | None = None,
        use_buffers: bool = False,
    ) -> None:
        super().__init__()
        if avg_fn is not None and multi_avg_fn is not None:
            raise AssertionError(
                "Only one of avg_fn and multi_avg_fn should be provided"
            )
        self.module = deepcopy(model)
        if device is not None:
            self.module = self.module.to(device)
        self.register_buffer("n_averaged", veem.tensor(0, device=device))
        self.avg_fn, self.multi_avg_fn = avg_fn, multi_avg_fn
        self.use_buffers = use_buffers

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self.module(*args, **kwargs)

    @veem.no_grad()
    def update_parameters(self, model: Module) -> None:
        """Counts the model's parameters in."""
        ours: Iterable[Tensor] = self.module.parameters()
        theirs: Iterable[Tensor] = model.parameters()
        if self.use_buffers:
            ours = chain(ours, self.module.buffers())
            theirs = chain(theirs, model.buffers())
        averaged = [p.detach() for p in ours]
        values = [q.detach().to(p.device) for p, q in zip(averaged, theirs)]
        if self.n_averaged == 0:
            for p, q in zip(averaged, values):
                p.copy_(q)
        else:
            update = self.multi_avg_fn or _in_place(self.avg_fn or get_swa_avg_fn())
            update(averaged, values, self.n_averaged)
        if not self.use_buffers:
            for b, new in zip(self.module.buffers(), model.buffers()):
                b.copy_(new.to(b.device))
        self.n_averaged += 1


@veem.no_grad()
def update_bn(loader: Iterable[Any], model: Module, device: Any = None) -> None:
    """Computes the running statistics of batch normalization anew, for the parameters
    that the model has: their averages over one pass through the loader.

    A batch is a tensor, or a list or tuple whose first item is the model's input.
    """
    norms = [m for m in model.modules() if isinstance(m, _BatchNorm)]
    if not norms:
        return
    momenta, was_training = [norm.momentum for norm in norms], model.training
    model.train()
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a plain mean over all batches
    for batch in loader:
        batch = batch[0] if isinstance(batch, (list, tuple)) else batch
        model(batch if device is None else batch.to(device))
    for norm, momentum in zip(norms, momenta):
        norm.momentum = momentum
    model.train(was_training)


class SWALR(LRScheduler):
    """From the lr as it is to swa_lr within anneal_epochs, then always that.

    anneal_strategy: along half a "cos" or "linear". Other schedules may run before or
    beside it: it computes the lr from the present one.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        swa_lr: float | list[float],
        anneal_epochs: int = 10,
        anneal_strategy: str = "cos",
        last_epoch: int = -1,
    ) -> None:
        for group, lr in zip(
            optimizer.param_groups, per_group("swa_lr", swa_lr, optimizer)
        ):
            group["swa_lr"] = lr
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(
                "anneal_strategy must be one of 'cos' or 'linear', instead got "
                f"{anneal_strategy}"
            )
        if not isinstance(anneal_epochs, int) or anneal_epochs < 0:
            raise ValueError(
                f"anneal_epochs must be equal or greater than 0, got {anneal_epochs}"
            )
        self._anneal_strategy, self.anneal_epochs = anneal_strategy, anneal_epochs
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        step = max(self._step_count - 1, 0 if self.anneal_epochs else 1)
        before, now = self._done(step - 1), self._done(step)
        rates = []
        for group in self.optimizer.param_groups:
            lr, end = group["lr"], group["swa_lr"]
            start = end if before == 1 else (lr - before * end) / (1 - before)
            rates.append(end * now + start * (1 - now))
        return rates

    def _done(self, step: int) -> float:
        """How much of the way has been gone after so many steps, from 0 to 1."""
        t = max(0.0, min(1.0, step / max(1, self.anneal_epochs)))
        return (
            t if self._anneal_strategy == "linear" else (1 - math.cos(math.pi * t)) / 2
        )
