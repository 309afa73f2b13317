"""Stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import veem
from veem import Tensor, _core

from .optimizer import Optimizer, check_fused, check_not_negative, runs_fused


class SGD(Optimizer):
    """p ← p - lr · d, with d the gradient, its decay and its momentum.

        d ← gradient (its negative if maximize) + weight_decay · p
        b ← momentum · b + (1 - dampening) · d      (b ← d at the first step)
        d ← d + momentum · b if nesterov else b     (these two only if momentum ≠ 0)

    Sutskever et al., "On the importance of initialization and momentum in deep
    learning", 2013, in PyTorch's form: lr multiplies the whole momentum.

    All parameters of a group are changed by one call into C++. With fused=False the
    formula runs in Python, op by op; with differentiable=True too, and gradients flow
    through the step. foreach changes nothing here.
    """

    def __init__(
        self,
        params: Iterable,
        lr: float = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        check_not_negative("learning rate:", lr)
        check_not_negative("momentum value:", momentum)
        check_not_negative("weight_decay value:", weight_decay)
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError("Nesterov momentum requires a momentum and zero dampening")
        check_fused(fused, foreach, differentiable)
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
            "foreach": foreach,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)

    def _update(self, params: list[Tensor], group: dict[str, Any]) -> None:
        if not runs_fused(group):
            for p in params:
                self._plain_step(p, group)
        elif not group["momentum"]:
            self._fused_step(params, [], group, 0.0)
        else:
            # A buffer's first value is d: that is 0 with d added, without dampening.
            new = [p for p in params if "momentum_buffer" not in self.state[p]]
            old = [p for p in params if "momentum_buffer" in self.state[p]]
            for p in new:
                self.state[p]["momentum_buffer"] = veem.zeros_like(p)
            for some, dampening in (old, group["dampening"]), (new, 0.0):
                buffers = [self.state[p]["momentum_buffer"] for p in some]
                self._fused_step(some, buffers, group, dampening)

    def _plain_step(self, p: Tensor, group: dict[str, Any]) -> None:
        momentum = group["momentum"]
        d = -p.grad if group["maximize"] else p.grad
        if group["weight_decay"]:
            d = d + group["weight_decay"] * p
        if momentum:
            state = self.state[p]
            if "momentum_buffer" in state:
                b = state["momentum_buffer"]
                b.mul_(momentum).add_(d, alpha=1 - group["dampening"])
            else:
                b = state["momentum_buffer"] = d.detach().clone()
            d = d + momentum * b if group["nesterov"] else b
        p.add_(d, alpha=-group["lr"])

    @staticmethod
    def _fused_step(params, buffers, group: dict[str, Any], dampening: float) -> None:
        if params:
            _core.sgd_step(
                params,
                [p.grad for p in params],
                buffers,
                group["lr"],
                group["momentum"],
                dampening,
                group["weight_decay"],
                group["nesterov"],
                group["maximize"],
            )
