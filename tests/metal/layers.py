"""The kernels of larger layers beside NumPy, in the manner of families.py."""

import struct

import numpy as np
from arrays import F, close, normal
from philox import SEED, units
from simulated import run


def channel_norm(source):
    for (outer, channels, inner), groups, rows, lanes, held in [
        ((3, 5, 20), 0, 2, 32, 2),
        ((2, 6, 50), 2, 1, 64, 0),
        ((3, 4, 7), 4, 8, 16, 1),
    ]:
        x, weight, bias = normal(outer, channels, inner), normal(channels), 0.5
        bias = np.full(channels, bias, F)
        if groups:
            split, axes = (outer, groups, -1), (2,)
        else:
            split, axes = (outer, channels, inner), (0, 2)
        y = x.reshape(split)
        mean, var = y.mean(axes), y.var(axes)
        count, n = mean.size, x.size // mean.size
        sizes = outer, channels, groups, n, inner, 1e-5
        shape = struct.pack("<4q2if2i4x", count, *sizes, rows, lanes)
        launch = -(-count // rows) * rows * lanes, rows * lanes
        constants = {0: 1, 1: 0, 2: held, 3: 1, 4: 1, 5: 0}
        *_, out, m, v, _ = run(
            source, *launch, x, weight, bias, np.zeros_like(x), np.zeros(count, F),
            np.zeros(count, F), shape, name="channel_norm_float", constants=constants,
        )  # fmt: skip
        close(m, mean.reshape(-1))
        close(v, var.reshape(-1))
        spread = lambda t, axes=axes: np.expand_dims(t, axes)
        rstd = 1 / np.sqrt(spread(var) + 1e-5)
        xhat = ((y - spread(mean)) * rstd).reshape(x.shape)
        close(out, xhat * weight[:, None] + bias[:, None])
        *_, out, m, v, _ = run(
            source, *launch, x, weight, bias, np.zeros_like(x), m, v, shape,
            name="channel_norm_float", constants=constants | {5: 1},
        )  # fmt: skip
        close(out, xhat * weight[:, None] + bias[:, None])
        g = normal(outer, channels, inner)[::-1].copy()
        *_, dx, _ = run(
            source, *launch, g, x, weight, m, v, np.zeros_like(x), shape,
            name="channel_norm_backward_float", constants=constants,
        )  # fmt: skip
        gw, by_row = (g * weight[:, None]).reshape(split), xhat.reshape(split)
        a, b = spread(gw.mean(axes)), spread((gw * by_row).mean(axes))
        close(dx, ((gw - a - by_row * b) * rstd).reshape(x.shape))
        n = outer * inner
        sizes = outer, channels, groups, n, inner, 1e-5
        shape = struct.pack("<4q2if2i4x", channels, *sizes, rows, lanes)
        *_, dw, db, _ = run(
            source, -(-channels // rows) * rows * lanes, rows * lanes,
            g, x, m, v, np.zeros(channels, F), np.zeros(channels, F), shape,
            name="channel_norm_parameters_float", constants=constants | {2: 0},
        )  # fmt: skip
        close(dw, (g * xhat).sum((0, 2)))
        close(db, g.sum((0, 2)))


def attention(source):
    heads, queries, keys, scale = 2, 20, 37, 0.4
    for causal, drop, width, value_width in (
        (0, 0.0, 9, 5), (1, 0.3, 9, 5), (0, 0.3, 130, 140),
    ):  # fmt: skip
        q, k = normal(heads, queries, width), normal(heads, keys, width)
        v, g = normal(heads, keys, value_width), normal(heads, queries, value_width)
        mask = normal(queries, keys)
        mask[:, 3] = -np.inf
        zeros, keep = [0] * 15, 1 - drop
        shape = struct.pack(
            "<103q2Q5i3f", heads, *zeros, queries * width, *zeros, keys * width, *zeros,
            keys * value_width, *zeros, 0, *zeros, width, width, value_width, keys, 1,
            0, *zeros, keys, 1, SEED, 7,
            1, queries, keys, width, value_width, scale, keep, 1 / keep,
        )  # fmt: skip
        constants = {0: 1, 1: causal, 2: int(drop > 0)}
        s = q @ k.transpose(0, 2, 1) * F(scale) + mask
        if causal:
            s = np.where(np.tri(queries, keys) > 0, s, -np.inf)
        e = np.exp(s - s.max(-1, keepdims=True))
        p = e / e.sum(-1, keepdims=True)
        kept = (units(p.size, 7).reshape(p.shape) < F(keep)) / F(keep)
        rows, group = np.zeros((heads, queries), F), (128, 1)

        def of(n, columns):
            return -(-n // 16) * 128, heads, -(-columns // 128)

        *_, out, lse, _ = run(
            source, of(queries, value_width), group, q, k, v, mask, np.zeros_like(g),
            rows, shape, name="attention_float", constants=constants,
        )  # fmt: skip
        close(out, (p * kept) @ v)
        close(lse, s.max(-1) + np.log(e.sum(-1)))
        *_, shared, dq, _ = run(
            source, of(queries, width), group, q, k, v, mask, g, out, lse, rows,
            np.zeros_like(q), shape,
            name="attention_backward_queries_float", constants=constants,
        )  # fmt: skip
        close(shared, (g * out).sum(-1))
        dp = g @ v.transpose(0, 2, 1) * kept
        slopes = p * (dp - (g * out).sum(-1, keepdims=True))
        ds = slopes * F(scale)
        close(dq, ds @ k)
        *_, dk, dv, _ = run(
            source, of(keys, max(width, value_width)), group, q, k, v, mask, g, lse,
            shared, np.zeros_like(k), np.zeros_like(v), shape,
            name="attention_backward_keys_float", constants=constants,
        )  # fmt: skip
        close(dk, ds.transpose(0, 2, 1) @ q)
        close(dv, (p * kept).transpose(0, 2, 1) @ g)
        tiles = -(-queries // 16) * 128, -(-keys // 16), 1
        *_, dmask, _ = run(
            source, tiles, group, q, k, v, mask, g, out, lse, np.zeros_like(mask),
            shape, name="attention_backward_mask_float", constants=constants,
        )  # fmt: skip
        close(dmask, slopes.sum(0))
