"""Sequences of different lengths in one tensor: padded, or packed step by step."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import veem
from veem import Tensor, ops

__all__ = [
    "PackedSequence",
    "invert_permutation",
    "pack_padded_sequence",
    "pack_sequence",
    "pad_packed_sequence",
    "pad_sequence",
    "unpack_sequence",
    "unpad_sequence",
]


class _Fields(NamedTuple):
    data: Tensor
    batch_sizes: Tensor
    sorted_indices: Tensor | None
    unsorted_indices: Tensor | None


class PackedSequence(_Fields):
    """Sequences without their padding: what pack_padded_sequence makes.

    data (sum of lengths, *) has the first step of all sequences, longest sequence
    first, then the second step of those that have one, and so on; batch_sizes, on the
    CPU, says how many sequences have each step. sorted_indices says which sequence of
    the batch stands where, unsorted_indices is its inverse; both may be None.
    """

    def __new__(
        cls,
        data: Any,
        batch_sizes: Tensor | None = None,
        sorted_indices: Tensor | None = None,
        unsorted_indices: Tensor | None = None,
    ) -> PackedSequence:
        if batch_sizes is None:
            data, batch_sizes = data
        if batch_sizes.device.type != "cpu":
            raise ValueError(
                "batch_sizes should always be on CPU: packed sequences are made by "
                "pack_sequence and pack_padded_sequence in nn.utils.rnn"
            )
        if unsorted_indices is None:
            unsorted_indices = invert_permutation(sorted_indices)
        return super().__new__(cls, data, batch_sizes, sorted_indices, unsorted_indices)

    def _replaced(self, data: Tensor) -> PackedSequence:
        if data is self.data:
            return self
        here = lambda t: None if t is None else t.to(data.device)
        ordered = here(self.sorted_indices), here(self.unsorted_indices)
        return type(self)(data, self.batch_sizes, *ordered)

    def to(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """With data of another dtype or device; itself if nothing changes."""
        return self._replaced(self.data.to(*args, **kwargs))

    def cpu(self) -> PackedSequence:
        return self.to("cpu")

    def double(self) -> PackedSequence:
        return self.to(veem.float64)

    def float(self) -> PackedSequence:
        return self.to(veem.float32)

    def long(self) -> PackedSequence:
        return self.to(veem.int64)

    def int(self) -> PackedSequence:
        return self.to(veem.int32)

    @property
    def is_cuda(self) -> bool:
        return self.data.device.type == "cuda"


def invert_permutation(permutation: Tensor | None) -> Tensor | None:
    """The permutation that undoes one: inverse[permutation[i]] = i."""
    if permutation is None:
        return None
    places = veem.arange(permutation.numel(), device=permutation.device)
    return veem.empty_like(permutation).index_put_((permutation,), places)


def pack_padded_sequence(
    input: Tensor,
    lengths: Tensor | list[int],
    batch_first: bool = False,
    enforce_sorted: bool = True,
) -> PackedSequence:
    """Packs padded sequences (T, B, *), or (B, T, *) with batch_first, of `lengths`.

    With enforce_sorted the lengths must fall; else the sequences are sorted.
    """
    lengths = _as_list(lengths)
    order = None
    if not enforce_sorted:
        by_length = sorted(range(len(lengths)), key=lambda i: -lengths[i])
        lengths = [lengths[i] for i in by_length]
        order = veem.tensor(by_length, dtype=veem.int64, device=input.device)
        input = ops.index_select(input, 0 if batch_first else 1, order)
    steps = input.transpose(0, 1) if batch_first else input
    _check_lengths(steps, lengths)
    sizes = [sum(n > t for n in lengths) for t in range(lengths[0])]
    data = veem.cat([steps[t, :n] for t, n in enumerate(sizes)])
    return PackedSequence(data, veem.tensor(sizes, dtype=veem.int64), order)


def _check_lengths(steps: Tensor, lengths: list[int]) -> None:
    if steps.numel() == 0:
        raise RuntimeError(
            "pack_padded_sequence: Cannot pack empty tensors, got shape "
            f"{list(steps.shape)}"
        )
    if len(lengths) != steps.shape[1]:
        raise RuntimeError(
            "pack_padded_sequence: Expected `len(lengths)` to be equal to batch_size, "
            f"but got {len(lengths)} (batch_size={steps.shape[1]})"
        )
    if min(lengths) <= 0:
        raise RuntimeError(
            "pack_padded_sequence: Length of all samples has to be greater than 0, but "
            "found an element in 'lengths' that is <= 0"
        )
    if any(a < b for a, b in zip(lengths, lengths[1:])):
        raise RuntimeError(
            "pack_padded_sequence: `lengths` array must be sorted in decreasing order "
            "when `enforce_sorted` is True; pass enforce_sorted=False"
        )
    if lengths[0] > steps.shape[0]:
        raise RuntimeError(
            f"pack_padded_sequence: a length of {lengths[0]} is more than the "
            f"{steps.shape[0]} steps of the input"
        )


def pad_packed_sequence(
    sequence: PackedSequence,
    batch_first: bool = False,
    padding_value: float = 0.0,
    total_length: int | None = None,
) -> tuple[Tensor, Tensor]:
    """The inverse of pack_padded_sequence: padded sequences and their lengths."""
    sizes = sequence.batch_sizes.tolist()
    length = len(sizes) if total_length is None else total_length
    if length < len(sizes):
        raise ValueError(
            "Expected total_length to be at least the length of the longest sequence "
            f"in input, but got total_length={total_length} and max sequence length "
            f"being {len(sizes)}"
        )
    data, count = sequence.data, sizes[0]
    steps = [_filled(step, count, padding_value) for step in data.split(sizes)]
    out = veem.stack(steps)
    if length > len(sizes):
        more = (length - len(sizes), count, *data.shape[1:])
        out = veem.cat([out, data.new_full(more, padding_value)])
    out = out.transpose(0, 1) if batch_first else out
    lengths = veem.tensor([sum(n > i for n in sizes) for i in range(count)])
    order = sequence.unsorted_indices
    if order is None:
        return out, lengths
    return ops.index_select(out, 0 if batch_first else 1, order), lengths[order.cpu()]


def _filled(x: Tensor, count: int, value: float) -> Tensor:
    """x (n, *) with rows of `value` behind it: (count, *)."""
    missing = count - x.shape[0]
    if missing == 0:
        return x
    return veem.cat([x, x.new_full((missing, *x.shape[1:]), value)])


def pad_sequence(
    sequences: Tensor | Iterable[Tensor],
    batch_first: bool = False,
    padding_value: float = 0.0,
    padding_side: str = "right",
) -> Tensor:
    """Sequences (T_i, *) as one tensor (T, B, *), or (B, T, *) with batch_first.

    T is the longest length; what is missing becomes padding_value.
    """
    if not isinstance(sequences, Iterable):
        raise RuntimeError(
            "pad_sequence: Expected iterable for input sequences, but got arg of type: "
            f"{type(sequences)}"
        )
    if padding_side not in ("left", "right"):
        raise RuntimeError(
            "pad_sequence: Expected padding_side to be one of left or right, but got "
            f"{padding_side}."
        )
    rows = list(sequences)
    if not rows:
        raise RuntimeError("pad_sequence: received an empty list of sequences")
    longest = max(x.shape[0] for x in rows)

    def padded(x: Tensor) -> Tensor:
        fill = x.new_full((longest - x.shape[0], *x.shape[1:]), padding_value)
        if fill.shape[0] == 0:
            return x
        return veem.cat([x, fill] if padding_side == "right" else [fill, x])

    return veem.stack([padded(x) for x in rows], 0 if batch_first else 1)


def unpad_sequence(
    padded_sequences: Tensor, lengths: Tensor | list[int], batch_first: bool = False
) -> list[Tensor]:
    """The inverse of pad_sequence: a list of sequences (T_i, *)."""
    rows = padded_sequences if batch_first else padded_sequences.transpose(0, 1)
    return [row[:n] for row, n in zip(rows, _as_list(lengths))]


def pack_sequence(
    sequences: list[Tensor], enforce_sorted: bool = True
) -> PackedSequence:
    """Packs sequences (T_i, *); with enforce_sorted the longest must come first."""
    lengths = [x.shape[0] for x in sequences]
    padded = pad_sequence(sequences)
    return pack_padded_sequence(padded, lengths, enforce_sorted=enforce_sorted)


def unpack_sequence(packed_sequences: PackedSequence) -> list[Tensor]:
    """The inverse of pack_sequence."""
    padded, lengths = pad_packed_sequence(packed_sequences, batch_first=True)
    return unpad_sequence(padded, lengths, batch_first=True)


def _as_list(lengths: Tensor | list[int]) -> list[int]:
    return (
        lengths.tolist() if isinstance(lengths, Tensor) else [int(n) for n in lengths]
    )
