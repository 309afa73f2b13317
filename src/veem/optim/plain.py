"""What optimizers share whose formula runs op by op, one parameter after the other."""

from __future__ import annotations

from typing import Any

import veem
from veem import Tensor

from .optimizer import Optimizer, check_not_negative


class PlainOptimizer(Optimizer):
    """A subclass writes _start(), what it keeps of a parameter, and _change().

    With differentiable=True gradients flow through the step. foreach, capturable and
    fused are PyTorch's choices among implementations: they change nothing here.
    """

    decays_apart = False  # does _change() see to the weight decay?

    def _start(self, p: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        """What is remembered of p before the first step, beside the count of steps."""
        raise NotImplementedError

    def _change(
        self, p: Tensor, g: Tensor, state: dict[str, Any], group: dict[str, Any]
    ) -> None:
        """The formula: changes p and its state by the gradient g."""
        raise NotImplementedError

    def _update(self, params: list[Tensor], group: dict[str, Any]) -> None:
        group = {**group, "lr": float(group["lr"])}
        for p in params:
            state = self.state[p]
            if not state:
                self._remember(p, group)
            state["step"] += 1
            self._change(p, self._gradient(p, group), state, group)

    def _gradient(self, p: Tensor, group: dict[str, Any]) -> Tensor:
        """p's gradient, its negative if maximize, with the decay of p in it; a
        decoupled decay is a step of its own and done here."""
        g = -p.grad if group["maximize"] else p.grad
        decay = 0 if self.decays_apart else group.get("weight_decay", 0)
        if decay and group.get("decoupled_weight_decay", False):
            p.mul_(1 - group["lr"] * decay)
        elif decay:
            g = g + decay * p
        return g

    def _remember(self, p: Tensor, group: dict[str, Any]) -> None:
        self.state[p].update(step=veem.tensor(0.0), **self._start(p, group))


def mean_and_square(
    g: Tensor, state: dict[str, Any], betas: tuple[float, float]
) -> tuple[Tensor, Tensor]:
    """The running means of g and of g², brought up to date: Adam's m and v."""
    m, v = state["exp_avg"], state["exp_avg_sq"]
    m.mul_(betas[0]).add_(g, alpha=1 - betas[0])
    v.mul_(betas[1]).add_(g * g, alpha=1 - betas[1])
    return m, v


def check_betas(betas: tuple[float, float]) -> None:
    for i, beta in enumerate(betas):
        if not 0.0 <= beta < 1.0:
            raise ValueError(f"Invalid beta parameter at index {i}: {beta}")


def check_lr(lr: float | Tensor) -> None:
    if isinstance(lr, Tensor) and lr.numel() != 1:
        raise ValueError("Tensor lr must be 1-element")
    check_not_negative("learning rate:", float(lr))
