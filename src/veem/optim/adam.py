"""Adam and AdamW: steps of a size that does not depend on the gradient's."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import veem
from veem import Tensor, _core

from .optimizer import Optimizer, check_fused, check_not_negative, runs_fused


class Adam(Optimizer):
    """p ← p - lr · m̂ / (√v̂ + eps): m and v are running means of g and of g².

        g ← gradient (its negative if maximize) + weight_decay · p
        m ← β₁ · m + (1 - β₁) · g         m̂ = m / (1 - β₁ᵗ)
        v ← β₂ · v + (1 - β₂) · g²        v̂ = v / (1 - β₂ᵗ)

    at step t: the divisors make up for m and v starting at 0. Kingma & Ba, "Adam: a
    method for stochastic optimization", 2014. amsgrad takes the largest v so far
    (Reddi et al., "On the convergence of Adam and beyond", 2018).
    decoupled_weight_decay makes it AdamW.

    All parameters of a group are changed by one call into C++. With fused=False the
    formula runs in Python, op by op; with differentiable=True too, and gradients flow
    through the step. foreach and capturable change nothing here.
    """

    def __init__(
        self,
        params: Iterable,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:
        check_not_negative("learning rate:", lr)
        check_not_negative("epsilon value:", eps)
        check_not_negative("weight_decay value:", weight_decay)
        for i, beta in enumerate(betas):
            if not 0.0 <= beta < 1.0:
                raise ValueError(f"Invalid beta parameter at index {i}: {beta}")
        check_fused(fused, foreach, differentiable)
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "amsgrad": amsgrad,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
            "fused": fused,
            "decoupled_weight_decay": decoupled_weight_decay,
        }
        super().__init__(params, defaults)

    def _update(self, params: list[Tensor], group: dict[str, Any]) -> None:
        states = [self._state_of(p, group["amsgrad"]) for p in params]
        if runs_fused(group):
            self._fused_step(params, states, group)
        else:
            for p, state in zip(params, states):
                self._plain_step(p, state, group)

    def _state_of(self, p: Tensor, amsgrad: bool) -> dict[str, Tensor]:
        state = self.state[p]
        if not state:
            state["step"] = veem.tensor(0.0)
            state["exp_avg"] = veem.zeros_like(p)
            state["exp_avg_sq"] = veem.zeros_like(p)
        if amsgrad and "max_exp_avg_sq" not in state:
            state["max_exp_avg_sq"] = veem.zeros_like(p)
        return state

    @staticmethod
    def _plain_step(p: Tensor, state: dict[str, Tensor], group: dict[str, Any]) -> None:
        lr, (beta1, beta2) = group["lr"], group["betas"]
        m, v = state["exp_avg"], state["exp_avg_sq"]
        state["step"] += 1
        t = state["step"].item()

        g = -p.grad if group["maximize"] else p.grad
        if group["decoupled_weight_decay"]:
            p.mul_(1 - lr * group["weight_decay"])
        elif group["weight_decay"]:
            g = g + group["weight_decay"] * p
        m.mul_(beta1).add_(g, alpha=1 - beta1)
        v.mul_(beta2).add_(g * g, alpha=1 - beta2)
        if group["amsgrad"]:
            largest = state["max_exp_avg_sq"]
            v = largest.copy_(veem.maximum(largest, v))
        root = v.sqrt() / math.sqrt(1 - beta2**t) + group["eps"]
        p.sub_(m / root, alpha=lr / (1 - beta1**t))

    @staticmethod
    def _fused_step(params, states, group: dict[str, Any]) -> None:
        amsgrad = group["amsgrad"]
        _core.adam_step(
            params,
            [p.grad for p in params],
            [state["exp_avg"] for state in states],
            [state["exp_avg_sq"] for state in states],
            [state["max_exp_avg_sq"] for state in states] if amsgrad else [],
            [state["step"] for state in states],
            group["lr"],
            *group["betas"],
            group["eps"],
            group["weight_decay"],
            group["decoupled_weight_decay"],
            group["maximize"],
        )


class AdamW(Adam):
    """Adam whose weight decay is no part of the gradient but a step of its own:

        p ← p - lr · weight_decay · p

    Loshchilov & Hutter, "Decoupled weight decay regularization", 2017.
    """

    def __init__(
        self,
        params: Iterable,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        super().__init__(
            params,
            lr,
            betas,
            eps,
            weight_decay,
            amsgrad,
            foreach=foreach,
            maximize=maximize,
            capturable=capturable,
            differentiable=differentiable,
            fused=fused,
            decoupled_weight_decay=True,
        )
