"""The kernels of running results, sorting and searching, as in families.py."""

import struct
from functools import partial

import numpy as np
from simulated import run

F = np.float32
STEP, BLOCK = 1024, 1024  # elements of a group's step in a scan, and of a sorted block


def _scan(source, kind, x, pieces, reverse):
    """(results, indices) of the rows of x, each cut into so many pieces."""
    count, n = x.shape
    piece = -(-n // pieces // STEP) * STEP
    shape = struct.pack("<5q", count, n, 1, piece, pieces)
    known = [np.zeros((count, pieces), t) for t in (x.dtype, x.dtype, np.int64)]
    out, index = np.zeros_like(x), np.zeros(x.shape, np.int64)
    name = "float" if x.dtype == F else "long"
    constants = dict(
        enumerate([kind, 8 if x.dtype == F else 5, reverse, 1, int(pieces > 1)])
    )
    launch = (256 * pieces, count), (256, 1)
    for totals_only in (1, 0):
        only = struct.pack("<i", totals_only)
        out, index, *known = run(
            source, *launch, x, out, index, *known, shape, only,
            name=f"scan_rows_{name}", constants=constants,
        )[1:6]  # fmt: skip
        if totals_only:
            known = run(
                source, count, count, *known, shape,
                name=f"scan_pieces_{name}", constants=constants,
            )[:3]  # fmt: skip
    return out, index


def scan(source):
    rng = np.random.default_rng(0)
    for pieces, reverse in ((1, 0), (3, 0), (3, 1)):
        x = rng.normal(size=(2, 2500)).astype(F)
        flip = (lambda a: a[:, ::-1]) if reverse else (lambda a: a)
        sums, _ = _scan(source, 0, x, pieces, reverse)
        wanted = flip(np.cumsum(flip(x), 1, dtype=np.float64))
        np.testing.assert_allclose(sums, wanted, rtol=2e-5, atol=2e-5)
        whole = (x * 9).astype(np.int64)
        largest, index = _scan(source, 2, whole, pieces, 0)
        np.testing.assert_allclose(largest, np.maximum.accumulate(whole, 1))
        np.testing.assert_allclose(np.take_along_axis(whole, index, 1), largest)


def _sort_shape(n, limit, width, runs):
    return struct.pack("<6q", n, width, limit, runs, 0, limit)


def sort(source):
    rng = np.random.default_rng(0)
    for n, limit, descending in ((37, 37, 0), (2500, 2500, 0), (2500, 40, 1)):
        x = rng.integers(-50, 50, (2, n)).astype(F)
        width = min(BLOCK, 1 << (n - 1).bit_length())
        pack = partial(_sort_shape, n, limit)
        constants = {0: 8, 1: descending}
        keys, index = (np.zeros((2, n), np.int32) for _ in range(2))
        blocks, threads = -(-n // width), max(width // 2, 1)
        _, keys, index, _ = run(
            source, (blocks * threads, 2), (threads, 1), x, keys, index, pack(width, 0),
            name="sort_blocks_uint", constants=constants,
        )  # fmt: skip
        while width < n:
            runs = -(-n // width)
            count = 2 * runs * min(width, limit)
            fresh = np.zeros_like(keys), np.zeros_like(index)
            launch, shape = (-(-count // 64) * 64, 64), pack(width, runs)
            keys, index = run(
                source, *launch, keys, index, *fresh, shape, struct.pack("<q", count),
                name="sort_merge_uint", constants=constants,
            )[2:4]  # fmt: skip
            width *= 2
        values, places = np.zeros((2, limit), np.int32), np.zeros((2, limit), np.int64)
        _, _, values, places, *_ = run(
            source, 2 * limit, 32 if limit > 40 else limit, x.view(np.int32), index,
            values, places, pack(width, 0), struct.pack("<q", 2 * limit),
            name="sort_take_int", constants=constants,
        )  # fmt: skip
        order = np.argsort(-x if descending else x, 1, kind="stable")[:, :limit]
        np.testing.assert_allclose(places, order)
        np.testing.assert_allclose(values.view(F), np.take_along_axis(x, order, 1))


def search(source):
    x = np.arange(70, dtype=F) // 3
    values = np.linspace(-2, 30, 45, dtype=F)
    shape = struct.pack("<3qi4x", 45, 70, 45, 1)
    none = np.zeros(1, np.int64)
    for right in (0, 1):
        *_, out, _ = run(
            source, 64, 64, x, values, none, np.zeros(45, np.int64), shape,
            name="search_float", constants={0: 8, 1: right, 2: 0, 3: 0},
        )  # fmt: skip
        side = "right" if right else "left"
        np.testing.assert_allclose(out, np.searchsorted(x, values, side))
    # a sequence of 35 for each row of 15 values
    shape = struct.pack("<3qi4x", 45, 35, 15, 0)
    rows = np.concatenate([x[:35], x[:35] + 3, x[:35] * 2])
    *_, out, _ = run(
        source, 64, 64, rows, values, none, np.zeros(45, np.int64), shape,
        name="search_float", constants={0: 8, 1: 0, 2: 0, 3: 0},
    )  # fmt: skip
    pairs = zip(rows.reshape(3, 35), values.reshape(3, 15))
    wanted = np.concatenate([np.searchsorted(row, few) for row, few in pairs])
    np.testing.assert_allclose(out, wanted)
