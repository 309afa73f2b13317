"""Derivatives of samples, fractions and exponents, points in bins, views as copies."""

import numpy as np

import veem
from opinfo import ANY, FLOATS, SHAPES, OpInfo, Sample, Wrong, values


def with_spacings(rng, dtype):
    x = lambda *shape: values(rng, shape, dtype)
    return [
        Sample((x(5),)),
        Sample((x(3, 4),), {"edge_order": 2}),
        Sample((x(3, 4),), {"spacing": 0.5, "dim": 1}),
        Sample((x(3, 4, 3),), {"spacing": [2.0, 0.5], "dim": (0, -1)}),
        Sample((x(2, 3),), {"dim": 0}),
    ]


def gradient(x, spacing=1.0, dim=None, edge_order=1):
    out = np.gradient(
        x, *(spacing if isinstance(spacing, list) else [spacing]), axis=dim,
        edge_order=edge_order)  # fmt: skip
    return tuple(out) if isinstance(out, (list, tuple)) else (out,)


def at_coordinates(rng, dtype):
    """Samples, and where along the last dimension they are."""
    places = np.cumsum(values(rng, (4,), dtype, 0.5, 2)).astype(dtype)
    return [Sample((values(rng, (3, 4), dtype), places, order)) for order in (1, 2)]


def of_points(rng, dtype):
    x = values(rng, (20, 2), dtype, 0, 1)
    weight = values(rng, (20,), dtype, 0, 1)
    return [
        Sample((x, 3)),
        Sample((x, [2, 4]), {"range": (0.0, 1.0, 0.1, 0.9)}),
        Sample((x, [2, 4]), {"density": True}),
        Sample((x, 3, None, weight)),
    ]


def histogramdd(x, bins, range=None, weight=None, density=False):
    range = None if range is None else np.reshape(range, (-1, 2))
    hist, edges = np.histogramdd(x, bins, range, density, weight)
    return (hist, *edges)


def views_of(name, *args):
    """A row for NAME_copy of a (2, 3) matrix."""
    numpy_views = {
        "t": np.transpose, "transpose": np.swapaxes, "permute": np.transpose,
        "unsqueeze": np.expand_dims, "view": np.reshape, "expand": np.broadcast_to,
        "diagonal": np.diagonal, "select": lambda x, d, i: np.take(x, i, d),
        "squeeze": lambda x, d: x, "detach": lambda x: x, "alias": lambda x: x,
        "unbind": lambda x: tuple(x), "split": lambda x, n, d: tuple(
            np.split(x, range(n, x.shape[d], n), d)),
        "as_strided": lambda x, size, _: x.ravel()[:6:2].reshape(size),
        "unfold": lambda x, d, n, _: np.stack([x[:, i : i + n] for i in range(2)], 1),
    }  # fmt: skip
    whole = name in ("as_strided", "view")  # which depend on the layout
    copy = lambda x, *args: getattr(veem, name + "_copy")(
        x.contiguous() if whole else x, *args
    )
    return OpInfo(
        name + "_copy",
        numpy_views[name],
        lambda rng, dtype: [Sample((values(rng, (2, 3), dtype), *args))],
        dtypes=ANY,
        call=copy,
        order=0 if name == "detach" else 2,
        expands=False,
    )


ROWS = [
    OpInfo("gradient", gradient, with_spacings, tolerance=1e-5, halves=8.0,
           expands=False,
           wrong=(Wrong((np.ones(1),), RuntimeError, "at least edge_order"),
                  Wrong((np.ones(5),), RuntimeError, "edge_order 1 and 2",
                        {"edge_order": 3}),
                  Wrong((np.ones((3, 3)),), RuntimeError, "multiple times",
                        {"dim": (0, 0)}),
                  Wrong((np.ones((3, 3)),), RuntimeError, "one for each",
                        {"spacing": [1.0, 2.0, 3.0]}))),
    OpInfo("gradient", lambda x, at, order: (
        np.gradient(x, at, axis=1, edge_order=order),), at_coordinates, tolerance=1e-4,
        halves=None, torch=None, diff=(0,), expands=False,
        call=lambda x, at, order: veem.gradient(
            x, spacing=[at], dim=[1], edge_order=order)),
    OpInfo("frexp", np.frexp, lambda rng, dtype: [
        Sample((values(rng, s, dtype, avoid=(0, 1, 2, -1, -2)),)) for s in SHAPES],
        devices=("cpu",), order=1,
        wrong=(Wrong((np.arange(3),), RuntimeError, "floating-point"),)),
    OpInfo("histogramdd", histogramdd, of_points, order=0, dtypes=FLOATS, halves=None,
           tolerance=1e-5, torch=None, expands=False,
           call=lambda *a, **k: (h := veem.histogramdd(*a, **k))[:1] + h.bin_edges,
           wrong=(Wrong((np.ones(3), 2), RuntimeError, "at least 2"),
                  Wrong((np.ones((3, 2)), [2]), RuntimeError, "size of bins"),
                  Wrong((np.ones((3, 2)), 0), RuntimeError, "bins must be"))),
    views_of("t"), views_of("transpose", 0, 1), views_of("permute", (1, 0)),
    views_of("unsqueeze", 1), views_of("view", (3, 2)), views_of("expand", (4, 2, 3)),
    views_of("diagonal"), views_of("select", 1, 2), views_of("squeeze", 0),
    views_of("detach"), views_of("alias"), views_of("unbind"), views_of("split", 2, 1),
    views_of("as_strided", (3,), (2,)), views_of("unfold", 1, 2, 1),
    OpInfo("unsafe_split", lambda x, n: tuple(np.split(x, [n])), lambda rng, dtype: [
        Sample((values(rng, (5, 2), dtype), 3))], dtypes=ANY, expands=False),
    OpInfo("unsafe_chunk", lambda x, n: tuple(np.array_split(x, n)),
           lambda rng, dtype: [Sample((values(rng, (4, 2), dtype), 2))], dtypes=ANY,
           expands=False),
    OpInfo("as_strided_scatter", lambda x, src, *_: np.concatenate(
        [np.stack([src, x[0, 1:5:2]], 1).ravel(), x[0, 4:]])[None],
        lambda rng, dtype: [Sample((values(rng, (1, 6), dtype),
                                    values(rng, (2,), dtype), (2,), (2,)))],
        call=lambda x, *args: veem.as_strided_scatter(x.contiguous(), *args),
        torch=None,  # whose gradient of input is that of the part that was replaced
        dtypes=ANY, expands=False, wrong=(Wrong(
            (np.ones(6), np.ones(3), (2,), (1,)), RuntimeError, "size equal"),)),
]  # fmt: skip
