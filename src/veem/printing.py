"""Tensors as text, laid out as PyTorch lays them out."""

import math

import numpy as np

from veem import _core

_options: dict = {"precision": 4, "threshold": 1000, "edgeitems": 3, "linewidth": 80}
_options["sci_mode"] = None


def set_printoptions(
    precision=None, threshold=None, edgeitems=None, linewidth=None, sci_mode=None
):
    """How tensors print: digits, when to summarise, how many edge items, line width.

    sci_mode: True or False forces scientific notation on or off; None decides by range.
    """
    given = {
        "precision": precision,
        "threshold": threshold,
        "edgeitems": edgeitems,
        "linewidth": linewidth,
    }
    _options.update({k: v for k, v in given.items() if v is not None})
    _options["sci_mode"] = sci_mode


class _Formatter:
    """How to write one number, so that all of a tensor's have one width."""

    def __init__(self, values):
        self.precision = _options["precision"]
        self.is_float = values.dtype.kind == "f"
        self.integral = self.scientific = False
        if not self.is_float:
            self.width = max((len(f"{v}") for v in values.ravel().tolist()), default=1)
            return
        seen = values[np.isfinite(values) & (values != 0)].astype(np.float64)
        self.width = 1
        self.integral = bool(np.all(seen == np.ceil(seen)))
        if seen.size == 0:
            return
        size = np.abs(seen)
        wide = size.max() / size.min() > 1000 or size.max() > 1e8
        self.scientific = bool(wide or (not self.integral and size.min() < 1e-4))
        if _options["sci_mode"] is not None:
            self.scientific = _options["sci_mode"]
        self.width = max(len(self._number(v)) for v in seen.tolist())

    def _number(self, v):
        if not self.is_float:
            return f"{v}"
        if self.scientific:
            return f"{v:.{self.precision}e}"
        if self.integral:
            return f"{v:.0f}" + ("." if math.isfinite(v) else "")
        return f"{v:.{self.precision}f}"

    def __call__(self, v):
        return self._number(v).rjust(self.width)


def _edges(values):
    """The first and last few entries of every dimension."""
    n = _options["edgeitems"]
    for axis, size in enumerate(values.shape):
        if size > 2 * n:
            keep = [*range(n), *range(size - n, size)]
            values = np.take(values, keep, axis)
    return values


def _vector(values, indent, summarise, number):
    n = _options["edgeitems"]
    per_line = max(1, (_options["linewidth"] - indent) // (number.width + 2))
    if summarise and len(values) > 2 * n:
        items = [number(v) for v in values[:n].tolist()] + [" ..."]
        items += [number(v) for v in values[-n:].tolist()]
    else:
        items = [number(v) for v in values.tolist()]
    lines = [items[i : i + per_line] for i in range(0, len(items), per_line)]
    rows = [", ".join(line) for line in lines]
    return "[" + (",\n" + " " * (indent + 1)).join(rows) + "]"


def _nested(values, indent, summarise, number):
    if values.ndim == 0:
        return number(values.item())
    if values.ndim == 1:
        return _vector(values, indent, summarise, number)
    n = _options["edgeitems"]
    parts = list(values)
    if summarise and len(parts) > 2 * n:
        parts = parts[:n] + [None] + parts[-n:]
    texts = [
        "..." if p is None else _nested(p, indent + 1, summarise, number) for p in parts
    ]
    return "[" + ("," + "\n" * (values.ndim - 1) + " " * (indent + 1)).join(texts) + "]"


def _suffixes(x):
    if x._device_name != "cpu":
        yield f"device='{x.device}'"
    usual = (_core.get_default_dtype(), _core.int64, _core.bool)
    if x.numel() == 0:
        if x.ndim != 1:
            yield f"size={tuple(x.shape)}"
        usual = usual[:1]
    if x.dtype not in usual:
        yield f"dtype={x.dtype}"
    if x.grad_fn is not None:
        yield f"grad_fn=<{x.grad_fn.name()}>"
    elif x.requires_grad:
        yield "requires_grad=True"


def tensor_text(x):
    """The repr of a tensor."""
    indent = len("tensor(")
    if x.numel() == 0:
        text = "[]"
    else:
        values = x.numpy(force=True)
        summarise = values.size > _options["threshold"]
        shown = _edges(values) if summarise else values
        text = _nested(values, indent, summarise, _Formatter(shown))
    text = "tensor(" + text
    last = len(text) - text.rfind("\n") + 1
    for suffix in _suffixes(x):
        if last + len(suffix) + 2 > _options["linewidth"]:
            text += ",\n" + " " * indent + suffix
            last = indent + len(suffix)
        else:
            text += ", " + suffix
            last += len(suffix) + 2
    return text + ")"
