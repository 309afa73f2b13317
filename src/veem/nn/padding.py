"""Padding: a tensor with something around it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import veem
from veem import Tensor
from veem.autograd.names import recorded_as


def _name(_out, pad, mode):
    kinds = {"reflect": "Reflection", "replicate": "Replication"}
    if mode in kinds:
        return f"{kinds[mode]}Pad{len(pad) // 2}D"
    return "ConstantPadNd" if mode == "constant" else "CopySlices"


@recorded_as(_name)
def pad(
    input: Tensor,
    pad: Sequence[int],
    mode: str = "constant",
    value: float | None = None,
) -> Tensor:
    """`pad` is (left, right) of the last dimension, then of the one before, and so on.

    mode "constant" pads with `value` (0 if not given) and crops where a number is
    negative; "reflect" (the edge not repeated), "replicate" and "circular" continue the
    input in their ways: the last dimension of a 2-d or 3-d input, the last two of a
    3-d or 4-d one, or the last three of a 4-d or 5-d one.
    """
    if mode != "constant" and mode not in _continued:
        raise NotImplementedError(f"Unrecognised padding mode {mode}")
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
    if value:
        raise RuntimeError(f'Padding mode "{mode}" doesn\'t take in value argument')
    if len(pad) // 2 not in (input.ndim - 1, input.ndim - 2) or len(pad) > 6:
        raise NotImplementedError(
            f"pad: padding of {len(pad)} numbers is not supported for an input of "
            f"{input.ndim} dimensions in mode {mode!r}: 2 take 2 or 3 dimensions, 4 "
            "take 3 or 4, and 6 take 4 or 5"
        )
    for dim, (before, after) in amounts.items():
        input = _pad_continued(input, dim, before, after, mode)
    return input


def _pad_continued(
    input: Tensor, dim: int, before: int, after: int, mode: str
) -> Tensor:
    if before + input.shape[dim] + after < 1:
        raise RuntimeError(
            f"pad: padding {(before, after)} leaves nothing of dimension {dim} of an "
            f"input of shape {tuple(input.shape)}"
        )
    if mode == "circular":  # what is left after cropping is what is repeated
        crop, size = max(0, -before), input.shape[dim]
        kept = max(0, size - crop - max(0, -after))
        input = input.narrow(dim, min(crop, size), kept)
        before, after = max(0, before), max(0, after)
    size = input.shape[dim]
    reach = _reach[mode](size)
    if max(before, after) > reach:
        raise RuntimeError(
            f"pad: mode {mode!r} can add at most {reach} at dimension {dim} of an "
            f"input of shape {tuple(input.shape)}, but got {(before, after)}"
        )
    rows = [_continued[mode](i, size) for i in range(-before, size + after)]
    places = veem.tensor(rows, dtype=veem.int64, device=input.device)
    return input.index_select(dim, places)


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
