"""The gradient rules of products of matrices, in the manner of ops.py."""

import math

from veem import _core
from veem.rules import define as op

ops = _core.ops
squeeze, transpose, unsqueeze = ops.squeeze, ops.transpose, ops.unsqueeze


def _matmul_a(g, _, _a, b):
    if b.ndim == 1:
        return g * b if _a.ndim == 1 else unsqueeze(g, -1) * b
    if _a.ndim == 1:
        return squeeze(matmul(b, unsqueeze(g, -1)), (-1,))
    return matmul(g, transpose(b, -2, -1))


def _matmul_b(g, _, a, _b):
    if a.ndim == 1:
        return g * a if _b.ndim == 1 else unsqueeze(a, -1) * unsqueeze(g, -2)
    if _b.ndim == 1:
        return squeeze(matmul(transpose(a, -2, -1), unsqueeze(g, -1)), (-1,))
    if _b.ndim == 2:  # one for a whole batch: the sum over that is a product too
        a, g = _rows(a), _rows(g)
    return matmul(transpose(a, -2, -1), g)


def _rows(x):
    return x if x.ndim == 2 else x.reshape(math.prod(x.shape[:-1]), x.shape[-1])


matmul = op("matmul", _matmul_a, _matmul_b)
linear = op(
    "linear",
    lambda g, _, _x, w, _b: matmul(g, w),
    lambda g, _, x, _w, _b: matmul(transpose(_rows(g), 0, 1), _rows(x)),
    lambda g, _, _x, _w, _b: g,
)

# The slopes of what linear_activation ends with, from its output, or else from what the
# activation was given, which is computed again.
_from_output = {
    "relu": ops.relu_backward,
    "sigmoid": ops.sigmoid_backward,
    "tanh": ops.tanh_backward,
}
_from_input = {
    "gelu": ops.gelu_backward,
    "gelu_tanh": ops.gelu_tanh_backward,
    "silu": ops.silu_backward,
}


def _linear_activation(g, out, x, w, b, activation):
    if activation in _from_output:
        g = _from_output[activation](g, out)
    else:
        g = _from_input[activation](g, linear(x, w, b))
    dx = matmul(g, w) if x.requires_grad else None
    dw = matmul(transpose(_rows(g), 0, 1), _rows(x)) if w.requires_grad else None
    return dx, dw, g, None


linear_activation = op("linear_activation", joint=_linear_activation)
