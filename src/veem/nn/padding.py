"""Padding: a tensor with something around it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import veem
from veem import Tensor


def pad(
    input: Tensor,
    pad: Sequence[int],
    mode: str = "constant",
    value: float | None = None,
) -> Tensor:
    """`pad` is (left, right) of the last dimension, then of the one before, and so on.

    mode "constant" pads with `value` (0 if not given) and crops where a number is
    negative; "reflect" (the edge not repeated), "replicate" and "circular" continue the
    input in their ways.
    """
    if len(pad) % 2:
        raise RuntimeError("Padding length must be divisible by 2")
    if len(pad) > 2 * input.ndim:
        raise RuntimeError(
            "Padding length should be less than or equal to two times the input "
            f"dimension but got padding length {len(pad)} and input of dimension "
            f"{input.ndim}"
        )
    amounts = {input.ndim - 1 - i: pad[2 * i : 2 * i + 2] for i in range(len(pad) // 2)}
    if mode == "constant":
        return _pad_constant(input, amounts, 0 if value is None else value)
    if mode not in _continued:
        raise NotImplementedError(f"Unrecognised padding mode {mode}")
    if value is not None:
        raise RuntimeError(f'Padding mode "{mode}" doesn\'t take in value argument')
    for dim, (before, after) in amounts.items():
        size = input.shape[dim]
        reach = _reach[mode](size)
        if max(before, after) > reach:
            raise RuntimeError(
                f"pad: mode {mode!r} can add at most {reach} at dimension {dim} of an "
                f"input of shape {tuple(input.shape)}, but got {(before, after)}"
            )
        rows = [_continued[mode](i, size) for i in range(-before, size + after)]
        input = input.index_select(dim, veem.tensor(rows, device=input.device))
    return input


# Where element i of a row of `size` is found, for i beyond the row's ends too, and how
# far beyond them one may ask.
_continued: dict[str, Callable[[int, int], int]] = {
    "reflect": lambda i, size: size - 1 - abs(size - 1 - abs(i)),
    "replicate": lambda i, size: min(max(i, 0), size - 1),
    "circular": lambda i, size: i % size,
}
_reach: dict[str, Callable[[int], float]] = {
    "reflect": lambda size: size - 1,
    "replicate": lambda size: float("inf"),
    "circular": lambda size: size,
}


def _pad_constant(
    input: Tensor, amounts: dict[int, Sequence[int]], value: float
) -> Tensor:
    shape, source, target = list(input.shape), [], []
    for dim, size in enumerate(input.shape):
        before, after = amounts.get(dim, (0, 0))
        shape[dim] = before + size + after
        if shape[dim] < 0:
            raise RuntimeError(
                f"pad: padding {(before, after)} leaves dimension {dim} of an input of "
                f"shape {tuple(input.shape)} with a negative size"
            )
        source.append(slice(max(0, -before), size - max(0, -after)))
        target.append(slice(max(0, before), shape[dim] - max(0, after)))
    out = input.new_full(shape, value)
    out[tuple(target)] = input[tuple(source)]
    return out
