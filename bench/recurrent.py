"""What kernels.py times of recurrent layers: what row() takes."""

from functools import cache

import numpy as np


@cache
def layer(T, width, size):
    return T.nn.LSTM(width, size, bias=False)


def lstm(T, x, w_ih, w_hh):
    """The outputs of all steps, and the gradients of their sum."""
    leaves = [t.requires_grad_() for t in (x, w_ih, w_hh)]
    weights = {"weight_ih_l0": w_ih, "weight_hh_l0": w_hh}
    lstm = layer(T, x.shape[-1], w_hh.shape[1])
    out = T.func.functional_call(lstm, weights, (x,))[0]
    return out, *T.autograd.grad(out.sum(), leaves)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def lstm_in_numpy(x, w_ih, w_hh):
    size, steps = w_hh.shape[1], []
    h = c = np.zeros((x.shape[1], size))
    for at in x:
        gates = np.split(at @ w_ih.T + h @ w_hh.T, 4, -1)
        i, f, o = (sigmoid(gates[n]) for n in (0, 1, 3))
        g, before = np.tanh(gates[2]), (h, c)
        c = f * c + i * g
        h = o * np.tanh(c)
        steps.append((i, f, g, o, np.tanh(c), *before, h))
    dw_hh, gates, dh, dc = np.zeros_like(w_hh), [], 0.0, 0.0
    for i, f, g, o, t, h, c, _ in reversed(steps):
        dh = dh + 1
        dc = dc + dh * o * (1 - t * t)
        slopes = dc * g * i * (1 - i), dc * c * f * (1 - f), dc * i * (1 - g * g)
        gates.append(np.concatenate((*slopes, dh * t * o * (1 - o)), -1))
        dw_hh += gates[-1].T @ h
        dh, dc = gates[-1] @ w_hh, dc * f
    gates = np.stack(gates[::-1])
    dw_ih = np.tensordot(gates, x, [[0, 1], [0, 1]])
    return np.stack([step[-1] for step in steps]), gates @ w_ih, dw_ih, dw_hh


def mild(shapes, rng):
    """Weights that keep the gates away from their ends: errors do not grow by steps."""
    x, *weights = (rng.standard_normal(s, dtype=np.float32) for s in shapes)
    return [x, *(w / np.float32(w.shape[1]) ** 0.5 for w in weights)]


def sizes(steps, batch, width):
    return [(steps, batch, width), (4 * width, width), (4 * width, width)]


RECURRENT = [
    {
        "op": "lstm fwd+bwd",
        "sizes": {
            f"{t}x{n}x{width}": sizes(t, n, width)
            for t, n, width in ((32, 32, 128), (64, 16, 256), (100, 1, 64))
        },
        "inputs": mild,
        "tensor": lstm,
        "reference": lstm_in_numpy,
        "flops": lambda x, w, _: 3 * 4 * np.prod(x[:2]) * np.prod(w),
        "rtol": 1e-3,
        "atol": 1e-2,
    }
]
