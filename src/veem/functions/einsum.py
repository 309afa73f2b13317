"""einsum: sums of products, written with a letter for each dimension.

    einsum("bij,bjk->bik", x, y)    a product of matrices, batch by batch
    einsum("...ii->...i", x)        diagonals
    einsum("i,j", a, b)             the outer product: letters met once are kept

A letter is a label; those of the dimensions under an ellipsis are negative numbers,
counted from its last. Operands are taken from left to right, two at a time: what both
have and nobody needs any longer is summed by matmul, whose batch is what both have and
somebody needs.
"""

import math
import string

from veem import _core, ops
from veem.functions.registry import plain

_LETTERS = string.ascii_uppercase + string.ascii_lowercase  # PyTorch's order


def _wrong(text):
    return RuntimeError(f"einsum(): {text}")


def _labels(subscript, what):
    """A list of labels, with None for the ellipsis."""
    labels = []
    parts = subscript.replace(" ", "").split("...")
    if len(parts) > 2:
        raise _wrong(f"found '...' twice in {what} {subscript!r}")
    for i, part in enumerate(parts):
        labels += [None] * (i > 0)
        for letter in part:
            if letter not in _LETTERS:
                raise _wrong(
                    f"invalid subscript given at {what}: {letter!r} in {subscript!r}; "
                    "subscripts must be in [a-zA-Z], with one '...' at most"
                )
            labels.append(_LETTERS.index(letter))
    return labels


def _from_equation(equation, operands):
    left, arrow, right = equation.partition("->")
    inputs = left.split(",")
    if len(inputs) != len(operands):
        raise _wrong(
            f"{len(inputs)} operands were named in the equation {equation!r}, but "
            f"{len(operands)} were given"
        )
    named = [_labels(s, f"operand {i}") for i, s in enumerate(inputs)]
    return operands, named, _labels(right, "the output") if arrow else None


def _from_sublists(args):
    def labels(sublist):
        out = []
        for label in sublist:
            if label is not ... and not 0 <= label < len(_LETTERS):
                raise _wrong(f"expected a label in the range [0, 52), got {label}")
            out.append(None if label is ... else label)
        if out.count(None) > 1:
            raise _wrong("found ... twice in a list of labels")
        return out

    named = [labels(s) for s in args[1::2]]
    output = labels(args[-1]) if len(args) % 2 else None
    return list(args[: 2 * len(named) : 2]), named, output


def _name(label):
    return f"'{_LETTERS[label]}'" if label >= 0 else "an ellipsis"


class _Term:
    """A tensor and a label for each of its dimensions."""

    def __init__(self, x, labels):
        self.x, self.labels = x, labels

    def size(self, label):
        return self.x.shape[self.labels.index(label)]

    def without(self, labels):
        """Summed over these labels."""
        dims = tuple(i for i, label in enumerate(self.labels) if label in labels)
        if not dims:
            return self
        kept = [label for label in self.labels if label not in labels]
        return _Term(self.x.sum(dims), kept)

    def in_order(self, labels):
        """With its dimensions in this order, of size 1 where it lacks one."""
        have = [label for label in labels if label in self.labels]
        x = ops.permute(self.x, tuple(map(self.labels.index, have)))
        missing = [i for i, label in enumerate(labels) if label not in self.labels]
        for i in missing:
            x = ops.unsqueeze(x, i)
        return x


def _term(x, labels, i):
    """The operand with the ellipsis's dimensions named, and repeated labels once."""
    hidden = x.ndim - len(labels) + (None in labels)
    if hidden < 0 or (hidden and None not in labels):
        raise _wrong(
            f"the number of subscripts in the equation ({len(labels)}) does not match "
            f"the number of dimensions ({x.ndim}) of operand {i}"
            + (" even after accounting for its ellipsis" if None in labels else "")
        )
    if None in labels:
        at = labels.index(None)
        labels = [*labels[:at], *range(-hidden, 0), *labels[at + 1 :]]
    term = _Term(x, labels)
    for label in sorted({label for label in labels if labels.count(label) > 1}):
        while term.labels.count(label) > 1:
            term = _diagonal(term, label, i)
    return term


def _diagonal(term, label, i):
    first = term.labels.index(label)
    second = term.labels.index(label, first + 1)
    sizes = term.x.shape[first], term.x.shape[second]
    if sizes[0] != sizes[1]:
        raise _wrong(
            f"subscript {_name(label)} is repeated for operand {i} but the sizes don't "
            f"match, {sizes[1]} != {sizes[0]}"
        )
    rest = [x for d, x in enumerate(term.labels) if d not in (first, second)]
    return _Term(ops.diagonal(term.x, 0, first, second), [*rest, label])


def _check_sizes(terms):
    """Sizes of a label are equal, or 1, which broadcasts. A 1 beside others goes."""
    sizes = {}
    for i, term in enumerate(terms):
        for label, n in zip(term.labels, term.x.shape):
            if sizes.setdefault(label, n) == 1:
                sizes[label] = n
            if n not in (1, sizes[label]):
                raise _wrong(
                    f"subscript {_name(label)} has size {n} for operand {i} which does "
                    f"not broadcast with previously seen size {sizes[label]}"
                )
    return [
        term.without([x for x in term.labels if term.size(x) == 1 != sizes[x]])
        for term in terms
    ]


def _implicit_output(terms):
    """The ellipsis's dimensions, then the letters that are met once, in order."""
    met = [label for labels in terms for label in labels]
    hidden = sorted({x for x in met if x < 0})
    return hidden + sorted(x for x in met if x >= 0 and met.count(x) == 1)


def _explicit_output(labels, known):
    if None in labels:
        at = labels.index(None)
        hidden = sorted(x for x in known if x < 0)
        labels = [*labels[:at], *hidden, *labels[at + 1 :]]
    for label in labels:
        if labels.count(label) > 1:
            raise _wrong(f"output subscript {_name(label)} appears more than once")
        if label not in known:
            raise _wrong(
                f"output subscript {_name(label)} does not appear in the equation for "
                "any input operand"
            )
    return labels


def _times(a, b, needed):
    """The product of two terms, summed over the labels that nobody needs."""
    a = a.without([x for x in a.labels if x not in b.labels and x not in needed])
    b = b.without([x for x in b.labels if x not in a.labels and x not in needed])
    both = [x for x in a.labels if x in b.labels]
    batch = [x for x in both if x in needed]
    summed = [x for x in both if x not in needed]
    rows = [x for x in a.labels if x not in both]
    columns = [x for x in b.labels if x not in both]
    out = batch + rows + columns
    if not summed:
        return _Term(a.in_order(out) * b.in_order(out), out)
    sizes = {**dict(zip(a.labels, a.x.shape)), **dict(zip(b.labels, b.x.shape))}
    size = lambda labels: math.prod(sizes[x] for x in labels)
    lead = tuple(sizes[x] for x in batch)
    left = ops.reshape(
        a.in_order(batch + rows + summed), (*lead, size(rows), size(summed))
    )
    right = ops.reshape(
        b.in_order(batch + summed + columns), (*lead, size(summed), size(columns))
    )
    product = ops.matmul(left, right)
    return _Term(ops.reshape(product, tuple(sizes[x] for x in out)), out)


@plain
def einsum(*args):
    """einsum("ij,jk->ik", x, y) or einsum(x, [0, 1], y, [1, 2], [0, 2]).

    A label that several operands have takes their elements together, one that the
    output lacks is summed over. Sizes of 1 broadcast, "..." stands for the dimensions
    without a label. Without an output: the ellipsis, then the labels that are met once
    in alphabetical order. Floating point and integers; operands of one dtype.
    """
    if isinstance(args[0], str):
        equation, *operands = args
        if len(operands) == 1 and not isinstance(operands[0], _core.Tensor):
            (operands,) = operands
        operands, named, output = _from_equation(equation, list(operands))
    else:
        operands, named, output = _from_sublists(args)
    if not operands:
        raise _wrong("must provide at least one operand")
    terms = [_term(x, s, i) for i, (x, s) in enumerate(zip(operands, named))]
    known = {x for term in terms for x in term.labels}
    if output is None:
        full = [[x for x in s if x is not None] for s in named]
        hidden = sorted(x for x in known if x < 0)
        output = _implicit_output([*full, hidden])
    else:
        output = _explicit_output(output, known)
    terms = _check_sizes(terms)
    out = terms[0]
    for i, term in enumerate(terms[1:], 1):
        needed = set(output).union(*(t.labels for t in terms[i + 1 :]))
        out = _times(out, term, needed)
    out = out.without([x for x in out.labels if x not in output])
    return out.in_order(output)
