"""A case: one op at one size, how each library runs it, and what its result must be."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Maker = Callable[..., Callable[[], Any]]  # (library, *its tensors) -> a step to time


@dataclass
class Case:
    """One op at one size. `inputs(rng)` gives NumPy arrays; a maker turns the library
    and its tensors into the step that is timed, whose result (one or more tensors) is
    checked.
    """

    op: str
    size: str
    inputs: Callable[[np.random.Generator], list]
    tensor: Maker | None = None  # for torch and veem alike: their names are the same
    numpy: Maker | None = None
    variants: dict[str, Maker] = field(
        default_factory=dict
    )  # other contenders, by name
    reference: Maker | None = None  # float64 NumPy; the NumPy contender's unless given
    judge: Callable | None = (
        None  # (inputs, results), raises Wrong; in the reference's place
    )
    special: tuple = ()  # numbers that a second check puts among the first input's
    rtol: float = 1e-6
    atol: float = 0.0
    flops: float = 0.0
    moved: tuple | None = (
        None  # bytes (read, written): its inputs and results unless given
    )
    calls: int = 1  # ops in a step: times are given for one

    def maker(self, contender: str) -> Maker | None:
        if contender in self.variants:
            return self.variants[contender]
        library, _, variant = contender.partition(":")[0].partition("-")
        if variant or library == "mlx":  # it has names of its own
            return None
        return self.numpy if library == "numpy" else self.tensor

    def arrays(self, special: bool = False) -> list:
        arrays = self.inputs(np.random.default_rng(0))
        if special:
            flat = arrays[0].reshape(-1)
            places = np.linspace(0, flat.size - 1, len(self.special)).astype(int)
            flat[places] = self.special
        return arrays

    def check(self, arrays: list, results: list) -> None:
        if self.judge:
            return self.judge(arrays, results)
        wide = [a.astype(np.float64) if a.dtype == np.float32 else a for a in arrays]
        with np.errstate(all="ignore"):
            wanted = as_list((self.reference or self.numpy)(np, *wide)())
            if len(wanted) != len(results):
                raise Wrong(f"{len(results)} results instead of {len(wanted)}")
            for got, want in zip(results, wanted):
                compare(got, np.asarray(want), self.rtol, self.atol)


class Wrong(Exception):
    """A result that is not the reference's: such a contender is not timed."""


def as_list(results: Any) -> list:
    if results is None:
        return []
    return list(results) if isinstance(results, (tuple, list)) else [results]


def compare(got: np.ndarray, want: np.ndarray, rtol: float, atol: float) -> None:
    if got.shape != want.shape:
        raise Wrong(f"shape {got.shape} instead of {want.shape}")
    want = want.astype(got.dtype)
    close = np.isclose(got, want, rtol, atol, equal_nan=True)
    if not close.all():
        at = np.unravel_index(np.argmin(close), close.shape)
        place = [int(i) for i in at]
        raise Wrong(
            f"{got[at]} instead of {want[at]} at {place}, {np.sum(~close)} in all"
        )
