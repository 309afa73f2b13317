"""Rprop, which looks at signs alone, and ASGD, which averages the parameters."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import veem
from veem import Tensor

from .optimizer import check_not_negative
from .plain import PlainOptimizer, check_lr


class Rprop(PlainOptimizer):
    """p ← p - s · sign(g): every element has a step s of its own, at first lr.

    s grows by etas[1] where g has kept its sign and shrinks by etas[0] where it has
    changed (and p stays there), within step_sizes. Riedmiller & Braun, "A direct
    adaptive method for faster backpropagation learning", 1993. For whole data sets:
    the noise of batches changes signs.
    """

    def __init__(
        self,
        params: Iterable,
        lr: float = 1e-2,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50),
        *,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_lr(lr)
        if not 0.0 < etas[0] < 1.0 < etas[1]:
            raise ValueError(f"Invalid eta values: {etas[0]}, {etas[1]}")
        defaults = {
            "lr": lr,
            "etas": etas,
            "step_sizes": step_sizes,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)

    def _start(self, p: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        return {
            "prev": veem.zeros_like(p),
            "step_size": veem.full_like(p, group["lr"]),
        }

    def _change(
        self, p: Tensor, g: Tensor, state: dict[str, Any], group: dict[str, Any]
    ) -> None:
        shrink, grow = group["etas"]
        prev, size = state["prev"], state["step_size"]
        same = g * prev.clone()
        grown = veem.where(same > 0, size * grow, size)
        new = veem.where(same < 0, size * shrink, grown)
        size.copy_(new.clamp(*group["step_sizes"]))
        g = veem.where(same < 0, 0.0, g)
        p.sub_(g.sign() * size)
        prev.copy_(g)


class ASGD(PlainOptimizer):
    """p ← (1 - lambd · η) · p - η · g; state["ax"] is the mean of p since step t0.

        η = lr / (1 + lambd · lr · t)^alpha

    Polyak & Juditsky, "Acceleration of stochastic approximation by averaging", 1992.
    """

    def __init__(
        self,
        params: Iterable,
        lr: float = 1e-2,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        check_lr(lr)
        check_not_negative("weight_decay value:", weight_decay)
        defaults = {
            "lr": lr,
            "lambd": lambd,
            "alpha": alpha,
            "t0": t0,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)

    def _start(self, p: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        return {
            "eta": veem.tensor(group["lr"]),
            "mu": veem.tensor(1.0),
            "ax": veem.zeros_like(p),
        }

    def _change(
        self, p: Tensor, g: Tensor, state: dict[str, Any], group: dict[str, Any]
    ) -> None:
        lr, lambd, t = group["lr"], group["lambd"], state["step"].item()
        eta, mu, mean = state["eta"].item(), state["mu"].item(), state["ax"]
        p.mul_(1 - lambd * eta)
        p.sub_(g, alpha=eta)
        mean.copy_(p if mu == 1 else mean + (p - mean) * mu)
        state["eta"].copy_(veem.tensor(lr / (1 + lambd * lr * t) ** group["alpha"]))
        state["mu"].copy_(veem.tensor(1 / max(1, t - group["t0"])))
