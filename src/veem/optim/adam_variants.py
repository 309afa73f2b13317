"""Adamax, NAdam and RAdam: Adam with another norm, another momentum, another start."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import veem
from veem import Tensor

from .optimizer import check_not_negative
from .plain import PlainOptimizer, check_betas, check_lr, mean_and_square


class Adamax(PlainOptimizer):
    """p ← p - lr / (1 - β₁ᵗ) · m / u, with the largest gradient u for Adam's √v:

        m ← β₁ · m + (1 - β₁) · g
        u ← max(β₂ · u, |g| + eps)

    Kingma & Ba, "Adam: a method for stochastic optimization", 2014, section 7.
    """

    def __init__(
        self,
        params: Iterable,
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        check_lr(lr)
        check_not_negative("epsilon value:", eps)
        check_betas(betas)
        check_not_negative("weight_decay value:", weight_decay)
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)

    def _start(self, p: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        return {"exp_avg": veem.zeros_like(p), "exp_inf": veem.zeros_like(p)}

    def _change(
        self, p: Tensor, g: Tensor, state: dict[str, Any], group: dict[str, Any]
    ) -> None:
        beta1, beta2 = group["betas"]
        m = state["exp_avg"].mul_(beta1).add_(g, alpha=1 - beta1)
        u = state["exp_inf"]
        u.copy_(veem.maximum(u * beta2, g.abs() + group["eps"]))
        p.sub_(m / u, alpha=group["lr"] / (1 - beta1 ** state["step"].item()))


class NAdam(PlainOptimizer):
    """Adam that looks ahead along its momentum, as Nesterov's does:

        μₜ = β₁ · (1 - 0.96^(t · momentum_decay) / 2),   M = μ₁ · μ₂ · ... · μₜ
        m̂ = μₜ₊₁ · m / (1 - M · μₜ₊₁) + (1 - μₜ) · g / (1 - M)
        p ← p - lr · m̂ / (√(v / (1 - β₂ᵗ)) + eps)

    with Adam's m and v. Dozat, "Incorporating Nesterov momentum into Adam", 2016.
    """

    def __init__(
        self,
        params: Iterable,
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_lr(lr)
        check_not_negative("epsilon value:", eps)
        check_betas(betas)
        check_not_negative("weight_decay value:", weight_decay)
        check_not_negative("momentum_decay value:", momentum_decay)
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "momentum_decay": momentum_decay,
            "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def _start(self, p: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        return {
            "mu_product": veem.tensor(1.0),
            "exp_avg": veem.zeros_like(p),
            "exp_avg_sq": veem.zeros_like(p),
        }

    def _change(
        self, p: Tensor, g: Tensor, state: dict[str, Any], group: dict[str, Any]
    ) -> None:
        lr, betas, t = group["lr"], group["betas"], state["step"].item()
        m, v = mean_and_square(g, state, betas)
        mu, mu_next = (
            betas[0] * (1 - 0.5 * 0.96 ** (i * group["momentum_decay"]))
            for i in (t, t + 1)
        )
        state["mu_product"] *= mu
        product = state["mu_product"].item()
        root = (v / (1 - betas[1] ** t)).sqrt() + group["eps"]
        p.sub_(g / root, alpha=lr * (1 - mu) / (1 - product))
        p.sub_(m / root, alpha=lr * mu_next / (1 - product * mu_next))


class RAdam(PlainOptimizer):
    """Adam that steps without √v̂ until v rests on n > 5 gradients:

        most = 2 / (1 - β₂) - 1,   n = most - 2 · t · β₂ᵗ / (1 - β₂ᵗ)
        r² = (n - 4) · (n - 2) · most / ((most - 4) · (most - 2) · n)
        p ← p - lr · m̂                                  while n <= 5
        p ← p - lr · r · m̂ · √(1 - β₂ᵗ) / (√v + eps)    later

    with Adam's m̂ and v. Liu et al., "On the variance of the adaptive learning rate and
    beyond", 2019.
    """

    def __init__(
        self,
        params: Iterable,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_lr(lr)
        check_not_negative("epsilon value:", eps)
        check_betas(betas)
        check_not_negative("weight_decay value:", weight_decay)
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "decoupled_weight_decay": decoupled_weight_decay,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def _start(self, p: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        return {"exp_avg": veem.zeros_like(p), "exp_avg_sq": veem.zeros_like(p)}

    def _change(
        self, p: Tensor, g: Tensor, state: dict[str, Any], group: dict[str, Any]
    ) -> None:
        (beta1, beta2), t = group["betas"], state["step"].item()
        m, v = mean_and_square(g, state, group["betas"])
        d = m / (1 - beta1**t)
        most = 2 / (1 - beta2) - 1
        n = most - 2 * t * beta2**t / (1 - beta2**t)
        if n > 5:
            r2 = (n - 4) * (n - 2) * most / ((most - 4) * (most - 2) * n)
            d = d / (v.sqrt() + group["eps"]) * math.sqrt((1 - beta2**t) * r2)
        p.sub_(d, alpha=group["lr"])
