"""Adafactor and Muon: optimizers that know that a parameter is a matrix."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import veem
from veem import Tensor

from .optimizer import Optimizer
from .plain import PlainOptimizer

EPS = {"float16": 2**-10, "bfloat16": 2**-7, "float32": 2**-23, "float64": 2**-52}


class Adafactor(PlainOptimizer):
    """Adam's v for the memory of a row and a column: r and c, means of g² over each.

        r, c ← t^beta2_decay of the way to the means of g² over columns and rows
        u = g / √(r · c / mean(r))                 of a vector g / √v, as in Adam
        p ← p - max(eps₂, RMS(p)) · min(lr, 1/√t) · u / max(1, RMS(u) / d)

    after p ← (1 - lr · weight_decay) · p. eps is (eps₁ under the roots, eps₂); eps₁ of
    None is the dtype's. Shazeer & Stern, "Adafactor: adaptive learning rates with
    sublinear memory cost", 2018.
    """

    decays_apart = True

    def __init__(
        self,
        params: Iterable,
        lr: float = 1e-2,
        beta2_decay: float = -0.8,
        eps: tuple[float | None, float] = (None, 1e-3),
        d: float = 1.0,
        weight_decay: float = 0.0,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
    ) -> None:
        _check_size(lr)
        _check(lr >= 0, f"Learning rate should be >= 0 but is: {lr}")
        _check(beta2_decay <= 0, f"beta2_decay should be <= 0 but is: {beta2_decay}")
        _check(
            eps[0] is None or eps[0] >= 0, f"epsilon1 should be >= 0 but is: {eps[0]}"
        )
        _check(eps[1] >= 0, f"epsilon2 should be >= 0 but is: {eps[1]}")
        _check(d >= 1, f"Clipping threshold d should be >= 1 but is: {d}")
        _check(weight_decay >= 0, f"weight_decay should be >= 0 but is: {weight_decay}")
        defaults = {
            "lr": lr,
            "beta2_decay": beta2_decay,
            "eps": eps,
            "d": d,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def _start(self, p: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        if p.ndim < 2:
            return {"variance": veem.zeros_like(p)}
        rows, columns = (*p.shape[:-1], 1), (*p.shape[:-2], 1, p.shape[-1])
        return {"row_var": p.new_zeros(rows), "col_var": p.new_zeros(columns)}

    def _change(
        self, p: Tensor, g: Tensor, state: dict[str, Any], group: dict[str, Any]
    ) -> None:
        lr, (eps1, eps2), t = group["lr"], group["eps"], state["step"].item()
        eps1 = EPS[p.dtype.name] if eps1 is None else eps1
        size = max(eps2, _rms(p)) * min(lr, 1 / math.sqrt(t))
        p.mul_(1 - lr * group["weight_decay"])
        towards = lambda mean, new: mean.add_(
            new - mean, alpha=t ** group["beta2_decay"]
        )
        if p.ndim < 2:
            v = towards(state["variance"], g * g)
        else:
            r = towards(state["row_var"], (g * g).mean(-1, keepdim=True))
            c = towards(state["col_var"], (g * g).mean(-2, keepdim=True))
            v = r @ c / r.mean(-2, keepdim=True).clamp(min=eps1)
        u = g * v.clamp(min=eps1 * eps1).rsqrt()
        p.sub_(u, alpha=size / max(1.0, _rms(u) / group["d"]))


def _rms(x: Tensor) -> float:
    """The root of the mean square."""
    return x.norm().item() / math.sqrt(x.numel()) if x.numel() else 0.0


class Muon(Optimizer):
    """Momentum made orthogonal: all directions of a matrix move alike.

        b ← momentum · b + (1 - momentum) · g
        u = g + momentum · (b - g) if nesterov, else b
        p ← (1 - lr · weight_decay) · p - lr' · U Vᵀ,   u = U S Vᵀ

    U Vᵀ comes from ns_steps of Newton and Schulz, X ← a X + (b A + c A²) X with A =
    X Xᵀ and ns_coefficients (a, b, c), in the parameter's dtype (PyTorch: in bfloat16).
    lr' is lr · √max(1, rows / columns), or 0.2 · lr · √max(rows, columns) for
    adjust_lr_fn="match_rms_adamw". Of matrices alone; Jordan et al., "Muon", 2024.
    """

    def __init__(
        self,
        params: Iterable,
        lr: float = 1e-3,
        weight_decay: float = 0.1,
        momentum: float = 0.95,
        nesterov: bool = True,
        ns_coefficients: tuple[float, float, float] = (3.4445, -4.775, 2.0315),
        eps: float = 1e-7,
        ns_steps: int = 5,
        adjust_lr_fn: str | None = None,
    ) -> None:
        _check_size(lr)
        _check(lr >= 0, f"Learning rate should be >= 0 but is: {lr}")
        _check(momentum >= 0, f"momentum should be >= 0 but is: {momentum}")
        _check(weight_decay >= 0, f"weight decay should be >= 0 but is: {weight_decay}")
        _check(
            adjust_lr_fn in (None, "original", "match_rms_adamw"),
            f"Adjust learning rate function {adjust_lr_fn} is not supported",
        )
        defaults = {
            "lr": lr,
            "weight_decay": weight_decay,
            "momentum": momentum,
            "nesterov": nesterov,
            "ns_coefficients": ns_coefficients,
            "eps": eps,
            "ns_steps": ns_steps,
            "adjust_lr_fn": adjust_lr_fn,
        }
        super().__init__(params, defaults)
        for p in (p for group in self.param_groups for p in group["params"]):
            _check(
                p.ndim == 2,
                "Muon only supports 2D parameters whereas we found a parameter with "
                f"size: {p.size()}",
            )

    def _update(self, params: list[Tensor], group: dict[str, Any]) -> None:
        lr, momentum = float(group["lr"]), group["momentum"]
        for p in params:
            state, g = self.state[p], p.grad
            b = state.setdefault("momentum_buffer", veem.zeros_like(p))
            b.add_(g - b, alpha=1 - momentum)
            u = g + momentum * (b - g) if group["nesterov"] else b
            u = _orthogonal(
                u, group["ns_coefficients"], group["ns_steps"], group["eps"]
            )
            rows, columns = p.shape
            if group["adjust_lr_fn"] == "match_rms_adamw":
                scale = 0.2 * math.sqrt(max(rows, columns))
            else:
                scale = math.sqrt(max(1, rows / columns))
            p.mul_(1 - lr * group["weight_decay"])
            p.sub_(u, alpha=lr * scale)


def _orthogonal(
    u: Tensor, coefficients: tuple[float, float, float], steps: int, eps: float
) -> Tensor:
    if steps >= 100:
        raise ValueError(
            "Number of steps must be less than 100 for computational efficiency"
        )
    if len(coefficients) != 3:
        raise ValueError("Coefficients must be a tuple of exactly 3 values")
    (a, b, c), tall = coefficients, u.shape[0] > u.shape[1]
    x = u.T if tall else u
    x = x / x.norm().clamp(min=eps)  # now no singular value is above 1
    for _ in range(steps):
        gram = x @ x.T
        x = a * x + (b * gram + c * (gram @ gram)) @ x
    return x.T if tall else x


def _check(condition: Any, words: str) -> None:
    if not condition:
        raise ValueError(words)


def _check_size(lr: float | Tensor) -> None:
    _check(not isinstance(lr, Tensor) or lr.numel() == 1, "Tensor lr must be 1-element")
