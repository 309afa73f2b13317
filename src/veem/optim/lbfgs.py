"""L-BFGS: Newton's method with a Hessian guessed from the last few gradients."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import veem
from veem import Tensor

from .optimizer import Optimizer
from .plain import check_lr


class LBFGS(Optimizer):
    """Moves along -H · g, H being the inverse Hessian that fits the last
    history_size changes of parameters and gradient (Nocedal, "Updating quasi-Newton
    matrices with limited storage", 1980).

    One step() iterates up to max_iter times and calls the closure, which computes the
    loss and the gradients anew, at most about max_eval times (5/4 · max_iter if not
    given). It ends early where no element of the gradient exceeds tolerance_grad, or
    parameters or loss change by less than tolerance_change. Every move has the length
    lr, or with line_search_fn="strong_wolfe" one that meets Wolfe's conditions.

    All parameters are one group on one device; their state is kept with the first.
    """

    def __init__(
        self,
        params: Iterable,
        lr: float = 1,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        check_lr(lr)
        defaults = {
            "lr": lr,
            "max_iter": max_iter,
            "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
            "tolerance_grad": tolerance_grad,
            "tolerance_change": tolerance_change,
            "history_size": history_size,
            "line_search_fn": line_search_fn,
        }
        super().__init__(params, defaults)
        if len(self.param_groups) != 1:
            raise ValueError(
                "LBFGS doesn't support per-parameter options (parameter groups)"
            )

    @property
    def _params(self) -> list[Tensor]:
        return self.param_groups[0]["params"]

    @veem.no_grad()
    def step(self, closure: Callable[[], Any]) -> Any:  # type: ignore[override]
        """Minimizes for some iterations; returns the closure's first result."""
        group, evaluate = self.param_groups[0], self._evaluate(closure)
        if group["line_search_fn"] not in (None, "strong_wolfe"):
            raise RuntimeError("only 'strong_wolfe' is supported")
        state = self.state[self._params[0]]
        state.setdefault("func_evals", 0)
        state.setdefault("n_iter", 0)

        first, loss, grad = evaluate()
        evals = 1
        for i in range(group["max_iter"]):
            if grad.abs().max() <= group["tolerance_grad"]:
                break
            state["n_iter"] += 1
            d = self._direction(grad, state, group["history_size"])
            t = float(group["lr"])
            if state["n_iter"] == 1:
                t *= min(1.0, 1 / grad.abs().sum().item())
            before, slope = loss, grad.dot(d).item()
            state.update(d=d, t=t, prev_flat_grad=grad, prev_loss=loss)
            if slope > -group["tolerance_change"]:
                break
            last = i + 1 == group["max_iter"]
            if group["line_search_fn"]:
                start = Point(0.0, loss, grad, slope)
                length = d.abs().max().item()
                limit = group["max_eval"] - evals
                line = self._along(evaluate, d)
                found, more = strong_wolfe(line, start, t, length, limit)
                state["t"], loss, grad = found.t, found.loss, found.grad
                evals += more
                self._move(d, found.t)
            else:
                self._move(d, t)
                if not last:  # the next step() begins with it
                    _, loss, grad = evaluate()
                    evals += 1
            if (
                evals >= group["max_eval"]
                or (d * state["t"]).abs().max() <= group["tolerance_change"]
                or abs(loss - before) < group["tolerance_change"]
            ):
                break
        state["func_evals"] += evals
        return first

    def _direction(self, grad: Tensor, state: dict[str, Any], history: int) -> Tensor:
        """-H · g, by two loops over the changes y of the gradient and s of the
        parameters; the diagonal H before them is that of the last change."""
        if state["n_iter"] == 1:
            state.update(old_dirs=[], old_stps=[], ro=[], H_diag=1)
            return -grad
        ys, ss, ro = state["old_dirs"], state["old_stps"], state["ro"]
        y, s = grad - state["prev_flat_grad"], state["d"] * state["t"]
        curvature = y.dot(s)
        if curvature > 1e-10:
            if len(ys) == history:
                for memory in ys, ss, ro:
                    memory.pop(0)
            ys.append(y)
            ss.append(s)
            ro.append(1.0 / curvature)
            state["H_diag"] = curvature / y.dot(y)
        d = -grad
        al = state.setdefault("al", [None] * history)
        for i in reversed(range(len(ys))):
            al[i] = ss[i].dot(d) * ro[i]
            d = d - al[i] * ys[i]
        d = d * state["H_diag"]
        for i in range(len(ys)):
            d = d + (al[i] - ys[i].dot(d) * ro[i]) * ss[i]
        return d

    # --- the parameters as one vector --------------------------------------------

    def _evaluate(self, closure: Callable[[], Any]) -> Callable:
        """A function that returns the closure's result, its number and the gradient."""

        def evaluate() -> tuple[Any, float, Tensor]:
            with veem.enable_grad():
                result = closure()
            zero = lambda p: p.new_zeros(p.shape)
            grads = [zero(p) if p.grad is None else p.grad for p in self._params]
            return result, float(result), veem.cat([g.reshape(-1) for g in grads])

        return evaluate

    def _move(self, d: Tensor, t: float) -> None:
        start = 0
        for p in self._params:
            p.add_(d[start : start + p.numel()].view_as(p), alpha=t)
            start += p.numel()

    def _along(self, evaluate: Callable, d: Tensor) -> Callable[[float], Point]:
        """The Point at a distance t along d, from where the parameters are and stay."""
        here = [p.clone() for p in self._params]

        def at(t: float) -> Point:
            self._move(d, t)
            _, loss, grad = evaluate()
            for p, value in zip(self._params, here):
                p.copy_(value)
            return Point(t, loss, grad, grad.dot(d).item())

        return at


class Point(NamedTuple):
    """What a line search knows of a distance t: slope is the gradient's along it."""

    t: float
    loss: float
    grad: Tensor
    slope: float


def strong_wolfe(
    at: Callable[[float], Point], start: Point, t: float, length: float, limit: int
) -> tuple[Point, int]:
    """A point that lies low enough and is flat enough, and the evaluations it took.

        loss <= start.loss + 1e-4 · t · start.slope
        |slope| <= 0.9 · |start.slope|

    First the step grows until such points must lie between two, then the two draw
    together. Nocedal & Wright, "Numerical optimization", algorithms 3.5 and 3.6.
    """
    too_high = lambda p: p.loss > start.loss + 1e-4 * p.t * start.slope
    is_flat = lambda p: abs(p.slope) <= -0.9 * start.slope
    before, here, count = start, at(t), 0
    while True:
        if count >= limit:
            return (start if start.loss <= here.loss else here), count + 1
        if too_high(here) or (count > 1 and here.loss >= before.loss):
            break
        if is_flat(here):
            return here, count + 1
        if here.slope >= 0:
            break
        bounds = here.t + 0.01 * (here.t - before.t), 10 * here.t
        before, here = here, at(_cubic_minimum(before, here, *bounds))
        count += 1

    low, high = (before, here) if before.loss <= here.loss else (here, before)
    stuck = False
    while count < limit:
        left, right = sorted((low.t, high.t))
        if (right - left) * length < 1e-9:
            break
        t, margin = _cubic_minimum(low, high, left, right), 0.1 * (right - left)
        near_end = min(right - t, t - left) < margin
        if near_end and (stuck or t >= right or t <= left):
            t = right - margin if abs(t - right) < abs(t - left) else left + margin
            stuck = False
        else:
            stuck = near_end
        here, count = at(t), count + 1
        if too_high(here) or here.loss >= low.loss:
            low, high = (low, here) if low.loss <= here.loss else (here, low)
            continue
        if is_flat(here):
            return here, count + 1
        if here.slope * (high.t - low.t) >= 0:
            high = low
        low = here
    return low, count + 1


def _cubic_minimum(a: Point, b: Point, low: float, high: float) -> float:
    """Where the cubic through two points with their slopes is least, kept in bounds."""
    a, b = (a, b) if a.t <= b.t else (b, a)
    d1 = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.t - b.t)
    square = d1 * d1 - a.slope * b.slope
    if square < 0:
        return (low + high) / 2
    d2 = math.sqrt(square)
    t = b.t - (b.t - a.t) * (b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2)
    return min(max(t, low), high)
