"""Tensors as text, laid out as PyTorch lays them out."""

import contextlib
import math

import numpy as np

from veem import _core

_PROFILES: dict = {
    "default": {"precision": 4, "threshold": 1000, "edgeitems": 3, "linewidth": 80},
    "short": {"precision": 2, "threshold": 1000, "edgeitems": 2, "linewidth": 80},
    "full": {"precision": 4, "threshold": math.inf, "edgeitems": 3, "linewidth": 80},
}
_options: dict = {**_PROFILES["default"], "sci_mode": None}


def set_printoptions(
    precision=None,
    threshold=None,
    edgeitems=None,
    linewidth=None,
    profile=None,
    sci_mode=None,
):
    """How tensors print: digits, when to summarise, how many edge items, line width.

    profile: "default", "short" or "full" (which never summarises), on top of which the
    others count. sci_mode: True or False forces scientific notation on or off; None
    decides by range.
    """
    given = {
        "precision": precision,
        "threshold": threshold,
        "edgeitems": edgeitems,
        "linewidth": linewidth,
    }
    _options.update(_PROFILES.get(profile, {}))
    _options.update({k: v for k, v in given.items() if v is not None})
    _options["sci_mode"] = sci_mode


def get_printoptions():
    """The options in force, as set_printoptions takes them."""
    return dict(_options)


@contextlib.contextmanager
def printoptions(**options):
    """Within it tensors print with these options of set_printoptions."""
    before = get_printoptions()
    set_printoptions(**options)
    try:
        yield
    finally:
        _options.update(before)


# ---- one number ----------------------------------------------------------------------


class _Formatter:
    """How to write one number, so that all of a tensor's have one width."""

    def __init__(self, values):
        self.precision = _options["precision"]
        self.is_float = values.dtype.kind == "f"
        self.integral, self.scientific, self.width = True, False, 1
        if self.is_float:
            values = values[np.isfinite(values) & (values != 0)].astype(np.float64)
            if values.size == 0:
                return
            self.integral = bool(np.all(values == np.ceil(values)))
            self.scientific = _options["sci_mode"]
            if self.scientific is None:
                self.scientific = _ranges_far(np.abs(values))
        texts = map(self._number, values.ravel().tolist())
        self.width = max(map(len, texts), default=1)

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


def _ranges_far(sizes):
    """Would the usual notation show too many digits of these, or too few?"""
    least, most = sizes.min(), sizes.max()
    with np.errstate(over="ignore"):
        return bool(most / least > 1000 or most > 1e8 or least < 1e-4)


# ---- rows of them --------------------------------------------------------------------


def _edges(values):
    """The first and last few entries of every dimension: what a summary shows."""
    n = _options["edgeitems"]
    if n == 0:  # nothing; but the numbers of a row count for the width
        return values if values.ndim == 1 else values[:0]
    for axis, size in enumerate(values.shape):
        if size > 2 * n:
            keep = [*range(n), *range(size - n, size)]
            values = np.take(values, keep, axis)
    return values


def _ends(items, summarise):
    """The first few and the last few items, or all."""
    n = _options["edgeitems"]
    if not summarise or len(items) <= 2 * n:
        return list(items), []
    return list(items[:n]), list(items[len(items) - n :])


def _vector(values, indent, summarise, number):
    first, last = _ends(values.tolist(), summarise)
    items = [*map(number, first)]
    if len(first) + len(last) < len(values):
        items += [" ..." if first else "...", *map(number, last)]
    per_line = max(1, math.floor((_options["linewidth"] - indent) / (number.width + 2)))
    lines = [items[i : i + per_line] for i in range(0, len(items), per_line)]
    rows = [", ".join(line) for line in lines]
    return "[" + (",\n" + " " * (indent + 1)).join(rows) + "]"


def _nested(values, indent, summarise, number):
    if values.ndim == 0:
        return number(values.item())
    if values.ndim == 1:
        return _vector(values, indent, summarise, number)
    first, last = _ends(values, summarise)
    gap = [None] if len(first) + len(last) < len(values) else []
    texts = [
        "..." if part is None else _nested(part, indent + 1, summarise, number)
        for part in [*first, *gap, *last]
    ]
    return "[" + ("," + "\n" * (values.ndim - 1) + " " * (indent + 1)).join(texts) + "]"


# ---- the whole -----------------------------------------------------------------------


def _suffixes(x):
    if x._device_name != "cpu":
        yield f"device='{x.device}'"
    usual = (_core.get_default_dtype(), _core.int64, _core.bool)
    if x.numel() == 0:
        if x.ndim != 1:
            yield f"size={tuple(x.shape)}"
        usual = usual[:1]
    elif _options["edgeitems"] == 0:
        yield f"size={tuple(x.shape)}"
    if x.dtype not in usual:
        yield f"dtype={x.dtype}"
    if x.grad_fn is not None:
        yield f"grad_fn=<{x.grad_fn.name()}>"
    elif x.requires_grad:
        yield "requires_grad=True"


def _contents(x, indent):
    if x.numel() == 0:
        return "[]"
    values = x.numpy(force=True)
    summarise = values.size > _options["threshold"]
    number = _Formatter(_edges(values) if summarise else values)
    return _nested(values, indent, summarise, number)


def tensor_text(x, name="tensor", contents=None):
    """The repr of a tensor: name(contents, what else is to be known of it)."""
    indent = len(name) + 1
    text = f"{name}({_contents(x, indent) if contents is None else contents}"
    last = len(text) - text.rfind("\n") + 1
    for suffix in _suffixes(x):
        if last + len(suffix) + 2 > _options["linewidth"]:
            text += ",\n" + " " * indent + suffix
            last = indent + len(suffix)
        else:
            text += ", " + suffix
            last += len(suffix) + 2
    return text + ")"
