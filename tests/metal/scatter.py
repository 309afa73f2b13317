"""What meets in an element of a table, beside NumPy, in the manner of families.py."""

import struct

import numpy as np
from arrays import F, close, normal
from simulated import run

JOINS = {2: np.add, 3: np.multiply, 4: np.maximum, 5: np.minimum}  # an IndexedKind


def longs(*rows):
    """Rows of 16 longs, as the structs of args.h have them."""
    return b"".join(struct.pack("<16q", *row, *[0] * (16 - len(row))) for row in rows)


def scatter(source):
    """In order, by the threads of columns; then sorted, by the thread of each run."""
    size, n, columns, none = 9, 40, 5, np.zeros(1, np.int64)
    at = np.arange(n) ** 2 % 7
    dims = longs((columns, n), (1, 0), (1, columns), (0, 1), *[()] * 15)
    shape = struct.pack("<2q", columns, n) + dims + longs((columns,), (size,))
    shape += struct.pack("<i4x", 2)
    for kind, join in JOINS.items():
        table, values = normal(size, columns) + 1, normal(n, columns)
        wanted = table.copy()
        join.at(wanted, at, values)
        new, *_ = run(
            source, (columns, 1, 2), 8, table, values, shape, at, *[none] * 15,
            name="indexed_float", constants=dict(enumerate([0, 2, kind, 1, 1])),
        )  # fmt: skip
        close(new, wanted)
    signed = np.where(np.arange(n) % 2, at - size, at)
    line = struct.pack("<2q", 1, n) + longs((n,), (1,), (1,), (1,), *[()] * 15)
    line += longs((1,), (size,)) + struct.pack("<i4x", 1)
    constants = dict(enumerate([0, 1, 0, 0, 1]))
    _, wrapped, _ = run(
        source, 64, 64, signed, np.zeros(n, np.int64), line,
        name="index_wrap", constants=constants,
    )  # fmt: skip
    close(wrapped, at)
    order = np.argsort(at, kind="stable")
    for kind, join in ({1: None} | JOINS).items():
        table, values = normal(size), normal(n)
        wanted = table.copy()
        if join is None:
            wanted[at] = values
        else:
            join.at(wanted, at, values)
        new, *_ = run(
            source, 64, 64, table, values, line, at[order], order,
            name="indexed_runs_float", constants=constants | {2: kind},
        )  # fmt: skip
        close(new, wanted)


def probe(source):
    """What reads and multiplies writes only a sum that never is: here, it is."""
    zeros, sink = np.zeros((21, 4), F), np.zeros(1, F)
    minus = zeros.copy()
    minus[[0, 20]] = -0.125
    shape = struct.pack("<3q2f", 21, 1, 3, 0, -0.125)
    sum_of = lambda name, *bound: run(source, 1, 1, *bound, sink, shape, name=name)[-2]
    close(sum_of("multiply_add"), [-1])
    close(sum_of("read", minus), [-0.25])  # the first lane's part
    close(sum_of("read", zeros), [0])
    values, many = normal(21, 4), struct.pack("<3q2f", 21, 8, 1, 0, 0)
    _, copied, _ = run(source, 8, 8, values, zeros, many, name="copy")
    close(copied, values)
