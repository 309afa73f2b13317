"""The gradient rules of activations, in the manner of ops.py.

The gradient of many is one pass over memory: an op of its own, with its formula beside
it, which runs instead where the gradient is itself recorded.
"""

import math

from veem import _core
from veem.ops_special import erf
from veem.rules import define as op

exp, where = _core.ops.exp, _core.ops.where


def _zeros(g, _out, *_args):
    return g.new_zeros(g.shape)


relu = op("relu", lambda g, out, _x: relu_backward(g, out))
relu_backward = op("relu_backward", lambda h, _, _g, out: relu_backward(h, out), _zeros)

tanh = op("tanh", lambda g, out, _x: tanh_backward(g, out))
tanh_backward = op("tanh_backward", plain=lambda g, out: g * (1 - out * out))

sigmoid = op("sigmoid", lambda g, out, _x: sigmoid_backward(g, out))
sigmoid_backward = op("sigmoid_backward", plain=lambda g, out: g * (out * (1 - out)))

silu = op("silu", lambda g, _, x: silu_backward(g, x))
silu_backward = op(
    "silu_backward",
    plain=lambda g, x: g * (s := sigmoid(x)) * (1 + x * (1 - s)),
)


def _gelu_backward(g, x):
    below = 0.5 * (1 + erf(x * math.sqrt(0.5)))
    return g * (below + x * exp(x * x * -0.5) * (1 / math.sqrt(2 * math.pi)))


def _gelu_tanh_backward(g, x):
    c = math.sqrt(2 / math.pi)
    t = tanh(c * (x + 0.044715 * x * x * x))
    slope = (1 - t * t) * (c * (1 + 3 * 0.044715 * x * x))
    return g * (0.5 * (1 + t) + 0.5 * x * slope)


gelu = op("gelu", lambda g, _, x: gelu_backward(g, x))
gelu_backward = op("gelu_backward", plain=_gelu_backward)
gelu_tanh = op("gelu_tanh", lambda g, _, x: gelu_tanh_backward(g, x))
gelu_tanh_backward = op("gelu_tanh_backward", plain=_gelu_tanh_backward)

leaky_relu = op(
    "leaky_relu",
    lambda g, _, x, slope: where(x > 0, g, g * slope),
    lambda g, _, x, _slope: where(x > 0, 0.0, g * x),
)


def _below(x):
    """x where it is below 0: exp of the rest could overflow."""
    return where(x <= 0, x, 0.0)


elu = op(
    "elu", lambda g, _, x, alpha: where(x <= 0, g * alpha * exp(_below(x)), g), None
)


def _softplus(g, _, x, beta, threshold):
    return where(x * beta > threshold, g, g * sigmoid(x * beta))


softplus = op("softplus", _softplus, None, None)
log_sigmoid = op("log_sigmoid", lambda g, _, x: g * sigmoid(-x))


def _mish(g, _, x):
    t = tanh(softplus(x, 1.0, 20.0))
    return g * (t + x * sigmoid(x) * (1 - t * t))


mish = op("mish", _mish)
_SCALE, _ALPHA = 1.0507009873554804934, 1.6732632423543772848
selu = op(
    "selu",
    lambda g, _, x: g * where(x <= 0, _SCALE * _ALPHA * exp(_below(x)), _SCALE),
)
celu = op(
    "celu", lambda g, _, x, alpha: where(x <= 0, g * exp(_below(x) / alpha), g), None
)


hardtanh = op(
    "hardtanh",
    lambda g, _, x, low, high: where((x <= low) | (x >= high), 0.0, g),
    None,
    None,
)
hardsigmoid = op("hardsigmoid", lambda g, _, x: where((x > -3) & (x < 3), g / 6, 0.0))
hardswish = op(
    "hardswish",
    lambda g, _, x: where(x < 3, where(x > -3, g * (x / 3 + 0.5), 0.0), g),
)
_shrink = lambda g, _, x, by: where((x >= -by) & (x <= by), 0.0, g)
hardshrink = op("hardshrink", _shrink, None)
softshrink = op("softshrink", _shrink, None)
threshold = op(
    "threshold", lambda g, _, x, limit, _v: where(x <= limit, 0.0, g), None, None
)
