"""Adagrad, Adadelta and RMSprop: steps divided by the size that gradients have had."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import veem
from veem import Tensor

from .optimizer import check_fused, check_not_negative
from .plain import PlainOptimizer, check_lr


class Adagrad(PlainOptimizer):
    """p ← p - lr / (1 + (t - 1) · lr_decay) · g / (√s + eps), s being the sum of g².

    s starts at initial_accumulator_value. Duchi et al., "Adaptive subgradient methods
    for online learning and stochastic optimization", 2011.
    """

    def __init__(
        self,
        params: Iterable,
        lr: float = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        check_lr(lr)
        check_not_negative("lr_decay value:", lr_decay)
        check_not_negative("weight_decay value:", weight_decay)
        check_not_negative(
            "initial_accumulator_value value:", initial_accumulator_value
        )
        check_not_negative("epsilon value:", eps)
        check_fused(fused, foreach, differentiable)
        defaults = {
            "lr": lr,
            "lr_decay": lr_decay,
            "eps": eps,
            "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)
        for group in self.param_groups:
            for p in group["params"]:
                self._remember(p, group)

    def _start(self, p: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        return {"sum": veem.full_like(p, self.defaults["initial_accumulator_value"])}

    def _change(
        self, p: Tensor, g: Tensor, state: dict[str, Any], group: dict[str, Any]
    ) -> None:
        s = state["sum"].add_(g * g)
        lr = group["lr"] / (1 + (state["step"].item() - 1) * group["lr_decay"])
        p.sub_(g / (s.sqrt() + group["eps"]), alpha=lr)


class Adadelta(PlainOptimizer):
    """p ← p - lr · d, in the parameter's own units:

        v ← rho · v + (1 - rho) · g²
        d = g · √(u + eps) / √(v + eps)
        u ← rho · u + (1 - rho) · d²

    Zeiler, "ADADELTA: an adaptive learning rate method", 2012.
    """

    def __init__(
        self,
        params: Iterable,
        lr: float = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        capturable: bool = False,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_lr(lr)
        if not 0.0 <= rho <= 1.0:
            raise ValueError(f"Invalid rho value: {rho}")
        check_not_negative("epsilon value:", eps)
        check_not_negative("weight_decay value:", weight_decay)
        defaults = {
            "lr": lr,
            "rho": rho,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
            "capturable": capturable,
            "foreach": foreach,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def _start(self, p: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        return {"square_avg": veem.zeros_like(p), "acc_delta": veem.zeros_like(p)}

    def _change(
        self, p: Tensor, g: Tensor, state: dict[str, Any], group: dict[str, Any]
    ) -> None:
        rho, eps = group["rho"], group["eps"]
        v, u = state["square_avg"], state["acc_delta"]
        v.mul_(rho).add_(g * g, alpha=1 - rho)
        d = (u + eps).sqrt() / (v + eps).sqrt() * g
        u.mul_(rho).add_(d * d, alpha=1 - rho)
        p.sub_(d, alpha=group["lr"])


class RMSprop(PlainOptimizer):
    """p ← p - lr · g / (√v + eps), or with momentum the running sum of these steps:

        v ← alpha · v + (1 - alpha) · g²
        a ← alpha · a + (1 - alpha) · g         if centered, and v - a² for v
        b ← momentum · b + g / (√v + eps)       if momentum: p ← p - lr · b

    Hinton, "Neural networks for machine learning", lecture 6, 2012; centered by
    Graves, "Generating sequences with recurrent neural networks", 2013.
    """

    def __init__(
        self,
        params: Iterable,
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_lr(lr)
        check_not_negative("epsilon value:", eps)
        check_not_negative("momentum value:", momentum)
        check_not_negative("weight_decay value:", weight_decay)
        check_not_negative("alpha value:", alpha)
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "alpha": alpha,
            "eps": eps,
            "centered": centered,
            "weight_decay": weight_decay,
            "capturable": capturable,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def _start(self, p: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        state = {"square_avg": veem.zeros_like(p)}
        if group["momentum"] > 0:
            state["momentum_buffer"] = veem.zeros_like(p)
        if group["centered"]:
            state["grad_avg"] = veem.zeros_like(p)
        return state

    def _change(
        self, p: Tensor, g: Tensor, state: dict[str, Any], group: dict[str, Any]
    ) -> None:
        alpha, v = group["alpha"], state["square_avg"]
        v.mul_(alpha).add_(g * g, alpha=1 - alpha)
        if group["centered"]:
            a = state["grad_avg"].mul_(alpha).add_(g, alpha=1 - alpha)
            v = v - a * a
        d = g / (v.sqrt() + group["eps"])
        if group["momentum"] > 0:
            d = state["momentum_buffer"].mul_(group["momentum"]).add_(d)
        p.sub_(d, alpha=group["lr"])
