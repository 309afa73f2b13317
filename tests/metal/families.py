"""veem's own kernels, launched as their hosts launch them, beside NumPy.

FAMILIES[name](source) runs the kernels of cpp/metal/kernels/NAME.metal, or of a changed
text, at sizes that are odd and take several SIMD-groups and threadgroups.
"""

import importlib.util
import pathlib
import re
import struct

import numpy as np
from arrays import F, close, normal
from layers import attention, channel_norm
from orders import scan, search, sort
from philox import SEED, units
from scatter import longs, probe, scatter
from simulated import run

CPP = pathlib.Path(__file__).parents[2] / "cpp"


def flat(family):
    """The text of a family as the GPU gets it."""
    spec = importlib.util.spec_from_file_location("embed", CPP / "metal" / "embed.py")
    embed = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(embed)
    path = CPP / "metal" / "kernels" / f"{family}.metal"
    return "\n".join(embed.flatten(path, set())) + "\n"


def softmax(source):
    # (outer, n, inner), rows and lanes of a tile, values held, registers exchanged
    for (outer, n, inner), rows, lanes, held, exchanges in [
        ((5, 70, 1), 2, 32, 4, 1),
        ((2, 1500, 1), 1, 256, 0, 1),
        ((2, 1500, 1), 1, 256, 8, 1),
        ((3, 150, 1), 4, 64, 4, 0),
        ((2, 40, 6), 8, 16, 0, 1),
    ]:
        x, count = normal(outer, n, inner), outer * inner
        shape = struct.pack("<3q2i", count, n, inner, rows, lanes)
        groups = -(-count // rows)
        constants = {0: exchanges, 1: int(inner > 1), 2: held, 3: 0}
        launch = groups * rows * lanes, rows * lanes
        _, y, _ = run(
            source, *launch, x, np.zeros_like(x), shape,
            name="softmax_float", constants=constants,
        )  # fmt: skip
        e = np.exp(x - x.max(1, keepdims=True))
        close(y, e / e.sum(1, keepdims=True))
        g = normal(outer, n, inner)[::-1].copy()
        *_, dx, _ = run(
            source, *launch, g, y, np.zeros_like(x), shape,
            name="softmax_backward_float", constants=constants,
        )  # fmt: skip
        close(dx, (g - (g * y).sum(1, keepdims=True)) * y)


def reduce(source):
    for axis, exchanges in [(1, 1), (1, 0), (0, 1)]:
        x = normal(37, 300)
        count, length = x.shape[1 - axis], x.shape[axis]
        rows, lanes = (4, 64) if axis else (32, 8)
        one = [1] + [0] * 15
        shape = struct.pack(
            "<84qf2i", count, length, length, 0,
            count, *one[1:], (300 if axis else 1), *one[1:], *one,
            length, *one[1:], (1 if axis else 300), *one[1:],
            1.0, rows, lanes,
        )  # fmt: skip
        groups = -(-count // rows)
        for op, wanted in [(0, x.sum(axis)), (2, x.max(axis))]:
            constants = dict(enumerate([exchanges, 1 - axis, op, 8, 8, 0, 0, 1, 1]))
            _, out, _ = run(
                source, groups * rows * lanes, rows * lanes,
                x, np.zeros(count, F), shape + bytes(4),
                name="reduce_float", constants=constants,
            )  # fmt: skip
            close(out, wanted)


def norm(source):
    for (count, n), rows, lanes, held in [((5, 70), 2, 32, 4), ((3, 900), 1, 128, 0)]:
        x, weight, bias = normal(count, n), normal(n), normal(n + 1)[:n].copy()
        shape = struct.pack("<3qf2i4x", count, n, 0, 1e-5, rows, lanes)
        launch = -(-count // rows) * rows * lanes, rows * lanes
        constants = {0: 1, 1: 0, 2: held, 3: 1, 4: 1, 5: 8}
        *_, out, mean, rstd, _ = run(
            source, *launch, x, weight, bias, np.zeros_like(x), np.zeros(count, F),
            np.zeros(count, F), shape, name="layer_norm_float", constants=constants,
        )  # fmt: skip
        xhat = (x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + 1e-5)
        close(out, xhat * weight + bias)
        g = normal(n, count).T.copy()
        *_, dx, _ = run(
            source, *launch, g, x, weight, mean, rstd, np.zeros_like(x), shape,
            name="layer_norm_backward_float", constants=constants,
        )  # fmt: skip
        gw = g * weight
        a, b = gw.mean(1, keepdims=True), (gw * xhat).mean(1, keepdims=True)
        close(dx, (gw - a - xhat * b) * rstd[:, None])


def matmul(source):
    m, n, k = 70, 66, 37
    relu, tanh = 1, 6  # metal/args.h: ActivationKind
    for kernel, columns, group, transposed, activation in [
        ("naive", (32, 8), (32, 8), False, 0),
        ("tiled", (16, 16), (16, 16), True, relu),
        ("blocked", (64, 64), (256, 1), False, tanh),
        ("simd_low", (64, 32), (128, 1), True, relu),
    ]:
        a, w, bias = normal(m, k), normal(k, n), normal(n)
        stored = w.T.copy() if transposed else w
        steps = (k, 1, 1, k) if transposed else (k, 1, n, 1)
        shape = struct.pack("<7q48q4i", m, n, k, *steps, *[0] * 48, 0, 1, 1, 0)
        threads = [-(-s // tile) * g for s, tile, g in zip((n, m), columns, group)]
        *_, out, _ = run(
            source, threads, group, a, stored, bias, np.zeros((m, n), F), shape,
            name=f"matmul_{kernel}_float",
            constants={0: 1, 1: int(transposed), 2: activation},
        )  # fmt: skip
        wanted = a @ w + bias
        after = {0: wanted, relu: np.maximum(wanted, 0), tanh: np.tanh(wanted)}
        close(out, after[activation])
    for kernel, rows, group in [("rows", 8, (64, 1)), ("columns", 32, (32, 8))]:
        a, w = normal(m, k), normal(k)
        stored = a if kernel == "rows" else a.T.copy()
        steps = (k, 1, 1, 1) if kernel == "rows" else (1, m, 1, 1)
        shape = struct.pack("<7q48q4i", m, 1, k, *steps, *[0] * 48, 0, 0, 0, 0)
        *_, out, _ = run(
            source, (-(-m // rows) * group[0], group[1]), group,
            stored, w, np.zeros(1, F), np.zeros(m, F), shape,
            name=f"matmul_{kernel}_float", constants={0: 0, 1: 0, 2: relu},
        )  # fmt: skip
        close(out, np.maximum(a @ w, 0))


def pool(source):
    x = normal(2, 3, 11, 9)
    shape = (1, 11, 9), (1, 6, 5), (1, 3, 3), (1, 2, 2), (0, 1, 1), (1, 1, 1)
    shape = struct.pack("<20iq", *np.ravel(shape), 0, 1, 0)
    out, index = np.zeros((2, 3, 6, 5), F), np.zeros((2, 3, 6, 5), np.int64)
    _, largest, index, _ = run(
        source, 180, 64, x, out, index, shape, name="max_pool_float"
    )  # fmt: skip
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)), constant_values=-np.inf)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), (2, 3))
    windows = windows[:, :, ::2, ::2]
    close(largest, windows.max((4, 5)))
    _, mean, _ = run(source, 180, 64, x, out, shape, name="avg_pool_float")
    close(mean, np.where(np.isinf(windows), 0, windows).mean((4, 5)))
    g = normal(2, 3, 6, 5)
    *_, dx, _ = run(
        source, x.size, 64, g, index, np.zeros_like(x), shape,
        name="max_pool_backward_float",
    )  # fmt: skip
    wanted = np.zeros((6, 99), F)
    for plane, (at, value) in enumerate(zip(index.reshape(6, 30), g.reshape(6, 30))):
        np.add.at(wanted[plane], at, value)
    close(dx.reshape(6, 99), wanted)
    *_, dx, _ = run(
        source, x.size, 64, g, np.zeros_like(x), shape, name="avg_pool_backward_float"
    )  # fmt: skip
    wanted = np.zeros((2, 3, 13, 11), F)
    for i, j in np.ndindex(3, 3):
        wanted[:, :, i : i + 11 : 2, j : j + 9 : 2] += g / 9
    close(dx, wanted[:, :, 1:12, 1:10])


def unfold(source):
    x = normal(2, 3, 7, 6)
    shape = (1, 7, 6), (1, 4, 5), (1, 3, 2), (1, 2, 1), (0, 1, 1), (1, 1, 2)
    shape = struct.pack("<20iq", *np.ravel(shape), 0, 0, 0)
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 2)))
    taps = [(i, 2 * j) for i in range(3) for j in range(2)]
    cut = [np.s_[:, :, i : i + 7 : 2, j : j + 5] for i, j in taps]
    wanted = np.stack([padded[at] for at in cut], 2)
    _, out, _ = run(
        source, 720, 64, x, np.zeros_like(wanted), shape, name="unfold_float"
    )  # fmt: skip
    close(out, wanted)
    columns, sums = normal(*wanted.shape), np.zeros_like(padded)
    for t, at in enumerate(cut):
        sums[at] += columns[:, :, t]
    _, back, _ = run(
        source, x.size, 64, columns, np.zeros_like(x), shape, name="fold_float"
    )  # fmt: skip
    close(back, sums[:, :, 1:8, 1:7])


def resample(source):
    x, first = normal(3, 5, 2), np.array([0, 1, 3, 3, 6])
    index, weight = np.array([4, 0, 1, 2, 3, 3]), normal(6)
    rows = np.zeros((4, 5), F)
    for i in range(4):
        for t in range(first[i], first[i + 1]):
            rows[i, index[t]] += weight[t]
    shape, out = struct.pack("<3q", 5, 4, 2), np.zeros((3, 4, 2), F)
    *_, out, _ = run(
        source, 24, 24, x, first, index, weight, out, shape, name="resample_float"
    )  # fmt: skip
    close(out, np.einsum("in,anb->aib", rows, x))


def loss(source):
    count, classes, rows, lanes = 9, 70, 4, 32
    logits, target = normal(count, classes), np.arange(count) * 7
    target[4] = -100
    shape = struct.pack("<3qf2i4x", count, classes, -100, 0.1, rows, lanes)
    constants = {0: 1, 1: 0, 2: 8, 3: 1, 4: 1, 5: 0}
    *_, lse, losses, _ = run(
        source, -(-count // rows) * rows * lanes, rows * lanes,
        logits, target, np.zeros((count, 2), F), np.zeros(count, F), shape,
        name="cross_entropy_float", constants=constants,
    )  # fmt: skip
    p = logits - logits.max(1, keepdims=True)
    p = p - np.log(np.exp(p).sum(1, keepdims=True))
    wanted = -0.9 * p[np.arange(count), target * (target >= 0)] - 0.1 * p.mean(1)
    close(losses, np.where(target >= 0, wanted, 0))
    one = struct.pack("<3qf2i4x", count, classes, -100, 0.1, 1, 256)
    *_, total, _ = run(
        source, 256, 256, losses, target, np.zeros(1, F), one,
        name="cross_entropy_total", constants=constants,
    )  # fmt: skip
    close(total[0], wanted[target >= 0].mean())
    g, scale = np.array([2], F), np.array([1 / 8], F)
    *_, dx, _ = run(
        source, (classes, count), (32, 4), logits, target, lse, g, scale,
        np.zeros_like(logits), shape, name="cross_entropy_backward_float",
        constants=constants,
    )  # fmt: skip
    hot = np.zeros_like(logits)
    hot[np.arange(count), target * (target >= 0)] = 0.9
    close(dx, (np.exp(p) - 0.1 / classes - hot) / 4 * (target >= 0)[:, None])


def optim(source):
    n = 100
    param, grad = normal(n), normal(n)[::-1].copy()
    mean, square = normal(n) / 2, normal(n) ** 2
    step = struct.pack("<10f", 1, 0.1, 1, 0.9, 0.1, 0.99, 0.01, 1e-8, 0.05, 1)
    new, _, new_mean, new_square, *_ = run(
        source, n, 32, param, grad, mean, square, np.zeros(n, F), step,
        name="adam_float", constants={0: 1, 1: 0, 2: 0, 3: 0},
    )  # fmt: skip
    d = grad + F(0.1) * param
    close(new_mean, 0.9 * mean + 0.1 * d)
    close(new_square, 0.99 * square + 0.01 * d * d)
    close(new, param - 0.05 * new_mean / (np.sqrt(new_square) + 1e-8))


def copy(source):
    # a plane of rows and columns, read along rows and written along columns
    for type_name, dtype, side in [("int", np.int32, 32), ("uchar", np.uint8, 64)]:
        planes, rows, columns = 2, 70, 45
        x = np.arange(planes * rows * columns).astype(dtype)
        x = x.reshape(planes, columns, rows)
        dims = (planes, rows, columns)
        steps = (rows * columns, columns, 1), (rows * columns, 1, rows)
        shape = struct.pack("<q", x.size) + longs(dims, *steps)
        across = [-(-n // side) for n in (rows, columns)]
        _, out, _ = run(
            source, (32 * across[0], 8 * across[1], planes), (32, 8),
            x, np.zeros(dims, dtype), shape,
            name=f"copy_tiles_{type_name}", constants={0: 0, 1: 3},
        )  # fmt: skip
        close(out, x.transpose(0, 2, 1))
        for wide in (0, 1):
            _, out, _ = run(
                source, 6400, 64, x, np.zeros(dims, dtype), shape,
                name=f"copy_strided_{type_name}", constants={0: wide, 1: 3},
            )  # fmt: skip
            close(out, x.transpose(0, 2, 1))
    x = np.arange(100, 137, dtype=np.uint8)
    _, out, _ = run(
        source, 32, 32, x, np.zeros_like(x), struct.pack("<q", 37) + longs((), (), ()),
        name="copy_flat",
    )  # fmt: skip
    close(out, x)


def index(source):
    # rows of a table: dimension 0 of the loop is a column, 1 a place in the index
    size, n, columns = 11, 70, 37
    at = np.arange(n) * 7 % size - np.arange(n) % 2 * size
    values, none = normal(n, columns), np.zeros(1, np.int64)
    dims = longs((columns, n), (1, 0), (1, columns), (0, 1), *[()] * 15)
    dims += longs((columns,), (size,))
    names = ["read", "write", "add"]
    for kind, parts, wide in [(0, 1, 0), (1, 1, 0), (1, 4, 1), (2, 1, 1), (2, 4, 0)]:
        table = normal(size, columns)
        steps = (columns * n, 1) if kind == 0 else (columns, n)
        shape = struct.pack("<2q", *steps) + dims + struct.pack("<i4x", parts)
        new, got, *_ = run(
            source, (steps[0], 1, parts), 64, table,
            np.zeros_like(values) if kind == 0 else values, shape, at, *[none] * 15,
            name="indexed_float",
            constants=dict(enumerate([wide, 2, kind, 2 if kind == 0 else 1, 1])),
        )  # fmt: skip
        if names[kind] == "read":
            close(got, table[at])
        elif names[kind] == "write":
            table[at] = values
        else:
            np.add.at(table, at, values)
        close(new, table)
    bad = at.copy()
    bad[40] = wrong = (1 << 40) + 5
    shape = struct.pack("<q", n) + longs((n,), (1,))
    shape += struct.pack("<3q2i", -size, size, 0, 0, 3)
    for tried, wanted in [(at, (0, 0, 0)), (bad, (3, wrong & 0xFFFFFFFF, wrong >> 32))]:
        _, fault, _ = run(
            source, 128, 64, tried, np.zeros(3, np.int32), shape,
            name="index_check", constants={0: 0, 1: 1},
        )  # fmt: skip
        assert tuple(fault) == wanted
    flags = (np.arange(5002) % 7 < 3).astype(np.uint8).reshape(61, 82)
    shape = struct.pack("<q", flags.size) + longs(flags.shape)
    wanted = np.argwhere(flags)
    _, counts, _ = run(
        source, 512, 256, flags, np.zeros(2, np.int64), shape,
        name="nonzero_count", constants={0: 0, 1: 2},
    )  # fmt: skip
    close(counts, [flags.ravel()[:4096].sum(), flags.ravel()[4096:].sum()])
    *_, found, _ = run(
        source, 512, 256, flags, np.array([0, counts[0]]), np.zeros_like(wanted), shape,
        name="nonzero_fill", constants={0: 0, 1: 2},
    )  # fmt: skip
    close(found, wanted)
    scatter(source)


def elementwise(source):
    table = re.findall(
        r"^VEEM_(?:ELEMENTWISE|REDUCTION)\((\w+)", (CPP / "ops.def").read_text(), re.M
    )
    a, b, none = normal(7, 37), normal(37, 7), np.zeros(1, F)
    float32 = 8  # of enum dtype, in kernels/convert.h
    for flat, second, steps in [(1, a[::-1].copy(), (37, 1)), (0, b, (1, 7))]:
        shape = struct.pack("<q", a.size)
        shape += longs((7, 37), (37, 1), (37, 1), steps, (), ())
        shape += struct.pack("<4f4qi4x", *[0] * 8, 2)
        types = [table.index("sub"), float32, float32, float32, -1, -1, flat, 0]
        *_, out, _ = run(
            source, 320, 64, a, second, none, none, np.zeros_like(a), shape,
            name="elementwise_float", constants=dict(enumerate(types)),
        )  # fmt: skip
        close(out, a - (second if flat else b.T))


def conv(source):
    x, weight, bias = normal(2, 3, 9, 8), normal(4, 3, 3, 3), normal(4)
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), (2, 3))
    wanted = np.einsum("bcyxij,fcij->bfyx", windows, weight) + bias[:, None, None]
    shape = struct.pack("<6q", 27, 72, *[0] * 4)
    shape += struct.pack("<13i4x", 4, 144, 27, 1, 27, 1, 9, 8, 3, 3, 9, 8, 1)
    for walk in [  # step, slices, rows, columns, z0, dz, y0, dy, x0, dx
        (9, 1, 3, 3, 0, 1, 0, 1, 0, 1),
        (72, 1, 3, 3, 0, 1, 0, 1, 0, 1),
        (216, 1, 9, 8, 0, 1, -1, 1, -1, 1),
        (288, 1, 9, 8, 0, 1, 0, 1, 0, 1),
    ]:
        shape += struct.pack("<q9i4x", *walk)
    for kernel, grid, group in [
        ("direct", (144, 4), (32, 4)),
        ("blocked", (256 * 3, 1), (256, 1)),
        ("simd_low", (128 * 3, 1), (128, 1)),
    ]:
        *_, out, _ = run(
            source, grid, group, weight, x, bias, np.zeros((2, 4, 9, 8), F), shape,
            name=f"conv_{kernel}_float", constants={0: 0, 1: 0},
        )  # fmt: skip
        close(out, wanted)


def random(source):
    n, offset = 1030, 5
    kinds = {0: 0, 1: 8, 2: 8, 3: 0, 4: 0}  # uniform, float32, all dense
    shape = struct.pack("<2Q4q", SEED, offset, 0, 0, 0, n) + longs((n,), (1,), (1,))
    shape += struct.pack("<2f", -1, 3)
    out, *_ = run(
        source, 258, 64, np.zeros(n, F), np.zeros(1, F), shape,
        name="random", constants=kinds,
    )  # fmt: skip
    close(out, units(n, offset) * 4 - 1)
    # running sums of rows, each by a group of 256 threads
    rows, categories = 2, 300
    p = np.abs(normal(rows, categories))
    shape = struct.pack("<2Q6q", SEED, 0, 0, rows, 1, categories, categories, 1)
    _, reached, _ = run(
        source, rows * 256, 256, p, np.zeros_like(p), shape,
        name="cumulate", constants=kinds,
    )  # fmt: skip
    close(reached, p.cumsum(1))


FAMILIES = {
    f.__name__: f
    for f in (softmax, reduce, norm, matmul, pool, loss, optim, copy, index)
    + (channel_norm, attention, elementwise, conv, random, unfold, resample)
    + (scan, sort, search, probe)
}
