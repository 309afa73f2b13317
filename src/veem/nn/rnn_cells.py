"""One step of a recurrent layer, and the modules that take one step.

A step is given the part of its gates that the input makes and its state, a tuple whose
first tensor is the hidden state h; it returns the next state.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import veem
from veem import Tensor, ops
from veem.autograd.names import labelled

from . import init
from .linear import linear
from .module import Module
from .parameter import Parameter

State = tuple[Tensor, ...]
Step = Callable[..., State]


def rnn_tanh(x: Tensor, state: State, w: Tensor, b: Tensor | None) -> State:
    """h' = tanh(x + h wᵀ + b)."""
    return ((x + linear(state[0], w, b)).tanh(),)


def rnn_relu(x: Tensor, state: State, w: Tensor, b: Tensor | None) -> State:
    """h' = max(x + h wᵀ + b, 0)."""
    return ((x + linear(state[0], w, b)).relu(),)


class _LSTMGates(veem.autograd.Function):
    """The next c and h from the gates i, f, g, o side by side, and c.

    By hand, for the gradients of the gates are so written once, side by side, where
    those of slices would each be as large as all. Recorded, it computes what it needs
    again from its inputs, for second derivatives.
    """

    @staticmethod
    def forward(ctx, gates, c):
        kept = _LSTMGates.activate(gates, c)
        ctx.save_for_backward(gates, c, *kept)
        *_, o, c, t = kept
        return o * t, c

    @staticmethod
    def activate(gates, c):
        size = c.shape[-1]
        s = gates.sigmoid()
        i, f, _, o = s.split(size, -1)
        g = gates[..., 2 * size : 3 * size].tanh()
        c = f * c + i * g
        return i, f, g, o, c, c.tanh()

    @staticmethod
    def backward(ctx, gh, gc):
        gates, c, *kept = ctx.saved_tensors
        recorded = veem.is_grad_enabled()
        i, f, g, o, _, t = _LSTMGates.activate(gates, c) if recorded else kept
        gc = gc + ops.tanh_backward(gh * o, t)
        slopes = (
            ops.sigmoid_backward(gc * g, i),
            ops.sigmoid_backward(gc * c, f),
            ops.tanh_backward(gc * i, g),
            ops.sigmoid_backward(gh * t, o),
        )
        return veem.cat(slopes, -1), gc * f


def lstm(
    x: Tensor,
    state: State,
    w: Tensor,
    b: Tensor | None,
    projection: Tensor | None = None,
) -> State:
    """Hochreiter & Schmidhuber, "Long short-term memory", 1997, with a forget gate.

    Gates i, f, g, o = x + h wᵀ + b; the sigmoids of i, f and o are taken;
    c' = f c + i tanh(g); h' = o tanh(c').
    """
    h, c = state
    h, c = _LSTMGates.apply(x + linear(h, w, b), c)
    return (h if projection is None else linear(h, projection), c)


class _GRUGates(veem.autograd.Function):
    """The next h from the parts x and y of the gates r, z, n side by side, and h.

    By hand, as _LSTMGates.
    """

    @staticmethod
    def forward(ctx, x, y, h):
        kept = _GRUGates.activate(x, y, h)
        ctx.save_for_backward(x, y, h, *kept)
        _, z, n = kept
        return (h - n) * z + n

    @staticmethod
    def activate(x, y, h):
        size = h.shape[-1]
        r, z = (x[..., : 2 * size] + y[..., : 2 * size]).sigmoid().split(size, -1)
        n = (x[..., 2 * size :] + r * y[..., 2 * size :]).tanh()
        return r, z, n

    @staticmethod
    def backward(ctx, g):
        x, y, h, *kept = ctx.saved_tensors
        recorded = veem.is_grad_enabled()
        r, z, n = _GRUGates.activate(x, y, h) if recorded else kept
        gn = ops.tanh_backward(g - g * z, n)
        gr = ops.sigmoid_backward(gn * y[..., 2 * h.shape[-1] :], r)
        gz = ops.sigmoid_backward(g * (h - n), z)
        return veem.cat((gr, gz, gn), -1), veem.cat((gr, gz, gn * r), -1), g * z


def gru(x: Tensor, state: State, w: Tensor, b: Tensor | None) -> State:
    """Cho et al., "Learning phrase representations using RNN encoder-decoder", 2014.

    r, z, n of x and of y = h wᵀ + b: r = sigmoid(xr + yr), z = sigmoid(xz + yz),
    n = tanh(xn + r yn), h' = (1 - z) n + z h.
    """
    (h,) = state
    return (_GRUGates.apply(x, linear(h, w, b), h),)


STEPS: dict[str, Step] = {
    "RNN_TANH": rnn_tanh,
    "RNN_RELU": rnn_relu,
    "LSTM": lstm,
    "GRU": gru,
}
GATES = {"RNN_TANH": 1, "RNN_RELU": 1, "LSTM": 4, "GRU": 3}


def reset_uniform(module: Module, hidden_size: int) -> None:
    """All parameters uniform in ±1 / √hidden_size."""
    bound = 1 / math.sqrt(hidden_size) if hidden_size > 0 else 0
    for p in module.parameters():
        init.uniform_(p, -bound, bound)


class _Cell(Module):
    """What the cells share: weight_ih (gates · H, I), weight_hh (gates · H, H) and
    their biases, uniform in ±1 / √H at first."""

    _mode = ""
    _states = 1

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.input_size, self.hidden_size, self.bias = input_size, hidden_size, bias
        rows = GATES[self._mode] * hidden_size
        shapes = {
            "weight_ih": (rows, input_size),
            "weight_hh": (rows, hidden_size),
            "bias_ih": (rows,),
            "bias_hh": (rows,),
        }
        for name, shape in shapes.items():
            value = None
            if bias or name.startswith("weight"):
                value = Parameter(veem.empty(shape, device=device, dtype=dtype))
            self.register_parameter(name, value)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        reset_uniform(self, self.hidden_size)

    def _next(self, input: Tensor, state: State | None) -> State:
        self._check(input, state)
        if state is None:
            zeros = input.new_zeros((*input.shape[:-1], self.hidden_size))
            state = (zeros,) * self._states
        gates = linear(input, self.weight_ih, self.bias_ih)
        return STEPS[self._mode](gates, state, self.weight_hh, self.bias_hh)

    def _check(self, input: Tensor, state: State | None) -> None:
        name = type(self).__name__
        if input.ndim not in (1, 2):
            raise ValueError(
                f"{name}: Expected input to be 1D or 2D, got {input.ndim}D instead"
            )
        if input.shape[-1] != self.input_size:
            raise RuntimeError(
                f"{name}: input has inconsistent input_size: got {input.shape[-1]}, "
                f"expected {self.input_size}"
            )
        wanted = (*input.shape[:-1], self.hidden_size)
        for h in state or ():
            if h.ndim not in (1, 2):
                raise ValueError(
                    f"{name}: Expected hidden to be 1D or 2D, got {h.ndim}D instead"
                )
            if tuple(h.shape) != wanted:
                raise RuntimeError(
                    f"{name}: Expected hidden of shape {list(wanted)}, got "
                    f"{list(h.shape)}"
                )

    def extra_repr(self) -> str:
        text = f"{self.input_size}, {self.hidden_size}"
        return text if self.bias else text + ", bias=False"


class RNNCell(_Cell):
    """One step of an RNN: (N, input_size) and h (N, hidden_size) -> the next h.

    h' = tanh(x weight_ihᵀ + bias_ih + h weight_hhᵀ + bias_hh), or relu of it. Without a
    batch, both lack N; h is 0 if not given.
    """

    _mode = "RNN_TANH"

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, device, dtype)
        self.nonlinearity = nonlinearity

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        if self.nonlinearity not in ("tanh", "relu"):
            raise RuntimeError(f"Unknown nonlinearity: {self.nonlinearity}")
        self._mode = f"RNN_{self.nonlinearity.upper()}"
        return self._next(input, None if hx is None else (hx,))[0]

    def extra_repr(self) -> str:
        text = super().extra_repr()
        other = self.nonlinearity != "tanh"
        return text + (f", nonlinearity={self.nonlinearity}" if other else "")


class LSTMCell(_Cell):
    """One step of an LSTM: (N, input_size) and (h, c), each (N, hidden_size), -> the
    next (h, c). Without a batch, all lack N; h and c are 0 if not given."""

    _mode = "LSTM"
    _states = 2

    def forward(self, input: Tensor, hx: State | None = None) -> State:
        h, c = self._next(input, hx)
        return labelled(h, "Mul"), c  # one node makes both, and the first names it


class GRUCell(_Cell):
    """One step of a GRU: (N, input_size) and h (N, hidden_size) -> the next h.
    Without a batch, both lack N; h is 0 if not given."""

    _mode = "GRU"

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        return labelled(self._next(input, None if hx is None else (hx,))[0], "Add")
