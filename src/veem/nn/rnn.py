"""Recurrent layers: RNN, LSTM and GRU over whole sequences."""

from __future__ import annotations

import numbers
import warnings
from typing import Any

import veem
from veem import Tensor, ops
from veem.autograd.names import labelled

from .dropout import dropout
from .linear import linear
from .lstm import LSTMSequence
from .module import Module
from .parameter import Parameter
from .rnn_cells import GATES, STEPS, State, Step, reset_uniform
from .utils.rnn import PackedSequence


class _Split(veem.autograd.Function):
    """x (sum of sizes, *) in parts. Their gradients are laid side by side, once: those
    of slices would each be as large as x."""

    @staticmethod
    def forward(ctx, x, sizes):
        return tuple(part.detach() for part in x.split(sizes))

    @staticmethod
    def backward(ctx, *grads):
        return veem.cat(grads), None


def _forward(step: Step, xs: list[Tensor], state: State) -> tuple[list[Tensor], State]:
    """Steps of falling batch sizes, first to last. A sequence that has ended leaves its
    state behind."""
    outs, ended = [], []
    for x in xs:
        n = x.shape[0]
        if n < state[0].shape[0]:
            ended.append(tuple(s[n:] for s in state))
            state = tuple(s[:n] for s in state)
        state = step(x, state)
        outs.append(state[0])
    if ended:
        all_ended = [state, *reversed(ended)]
        state = tuple(veem.cat(list(parts)) for parts in zip(*all_ended))
    return outs, state


def _backward(step: Step, xs: list[Tensor], first: State) -> tuple[list[Tensor], State]:
    """The same, last to first: sequences begin when their last step comes."""
    outs, n = [], xs[-1].shape[0]
    state = tuple(s[:n] for s in first)
    for x in reversed(xs):
        before, n = n, x.shape[0]
        if n > before:
            state = tuple(veem.cat([s, f[before:n]]) for s, f in zip(state, first))
        state = step(x, state)
        outs.append(state[0])
    return outs[::-1], state


class _Recurrent(Module):
    """What RNN, LSTM and GRU share.

    Layer k of direction d has the parameters weight_ih_lk, weight_hh_lk, bias_ih_lk and
    bias_hh_lk (with "_reverse" for d = 1), all uniform in ±1 / √hidden_size at first.
    """

    mode = ""
    _recorded_as = "Stack"  # what PyTorch's last op on the CPU is called

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        _check_arguments(hidden_size, num_layers, dropout, proj_size)
        self.input_size, self.hidden_size = input_size, hidden_size
        self.num_layers, self.bias, self.batch_first = num_layers, bias, batch_first
        self.dropout, self.bidirectional = float(dropout), bidirectional
        self.proj_size = proj_size
        rows, out = GATES[self.mode] * hidden_size, proj_size or hidden_size
        for layer in range(num_layers):
            width = input_size if layer == 0 else out * (1 + bidirectional)
            shapes = {"weight_ih": (rows, width), "weight_hh": (rows, out)}
            if bias:
                shapes |= {"bias_ih": (rows,), "bias_hh": (rows,)}  # type: ignore[dict-item]
            if proj_size:
                shapes["weight_hr"] = (proj_size, hidden_size)
            for ending in self._endings(layer):
                for name, shape in shapes.items():
                    value = veem.empty(shape, device=device, dtype=dtype)
                    self.register_parameter(name + ending, Parameter(value))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        reset_uniform(self, self.hidden_size)

    def flatten_parameters(self) -> None:
        """Does nothing: parameters need not lie side by side here."""

    @property
    def all_weights(self) -> list[list[Parameter]]:
        """The parameters of each layer and direction."""
        return [
            [p for name, p in self.named_parameters() if name.endswith(ending)]
            for layer in range(self.num_layers)
            for ending in self._endings(layer)
        ]

    def _endings(self, layer: int) -> list[str]:
        endings = [f"_l{layer}", f"_l{layer}_reverse"]
        return endings[: 1 + self.bidirectional]

    def _run(self, xs: Tensor, sizes: list[int], state: State) -> tuple[Tensor, State]:
        """xs (sum of sizes, width), state of (layers · directions, N, *)."""
        finals: list[State] = []
        for layer in range(self.num_layers):
            sides = []
            for ending in self._endings(layer):
                of = lambda name, ending=ending: self._parameters.get(name + ending)
                first = tuple(s[len(finals)] for s in state)
                out, final = self._walk(
                    xs, sizes, first, of, ending.endswith("reverse")
                )
                sides.append(out)
                finals.append(final)
            xs = sides[0] if len(sides) == 1 else veem.cat(sides, -1)
            if self.dropout and self.training and layer < self.num_layers - 1:
                xs = dropout(xs, self.dropout)
        return xs, tuple(veem.stack(list(parts)) for parts in zip(*finals))

    def _walk(
        self, xs: Tensor, sizes: list[int], state: State, of: Any, reverse: bool
    ) -> tuple[Tensor, State]:
        """One layer in one direction: its outputs and its last state."""
        gates = _Split.apply(linear(xs, of("weight_ih"), of("bias_ih")), sizes)
        walk = _backward if reverse else _forward
        outs, final = walk(self._step(of), list(gates), state)
        return veem.cat(outs), final

    def _step(self, of: Any) -> Step:
        one, more = STEPS[self.mode], ()
        if self.proj_size:
            more = (of("weight_hr"),)  # type: ignore[assignment]
        return lambda x, s: one(x, s, of("weight_hh"), of("bias_hh"), *more)

    def forward(self, input: Any, hx: Any = None) -> Any:
        if isinstance(input, PackedSequence):
            return self._packed(input, hx)
        self._check_input(input)
        alone = input.ndim == 2  # one sequence, no batch
        at = 0 if self.batch_first and not alone else 1
        xs = input.unsqueeze(1) if alone else input
        xs = xs.transpose(0, 1) if at == 0 else xs
        state = self._state(hx, xs, xs.shape[1], alone)
        steps, count = xs.shape[:2]
        if steps == 0:
            raise RuntimeError(
                f"{type(self).__name__}: Expected sequence length to be larger than 0"
            )
        out, final = self._run(xs.reshape(steps * count, -1), [count] * steps, state)
        name = "Cat" if self.bidirectional else self._recorded_as
        out = labelled(out.reshape(steps, count, -1), name)
        if alone:
            out, final = out.squeeze(1), tuple(s.squeeze(1) for s in final)
        return out.transpose(0, 1) if at == 0 else out, self._given_back(final)

    def _packed(self, input: PackedSequence, hx: Any) -> Any:
        data, sizes, order, back = input
        self._check_input(data, packed=True)
        sizes = sizes.tolist()
        state = self._state(hx, data, sizes[0], False)
        if order is not None and hx is not None:
            state = tuple(ops.index_select(s, 1, order) for s in state)
        out, final = self._run(data, sizes, state)
        if back is not None:
            final = tuple(ops.index_select(s, 1, back) for s in final)
        packed = PackedSequence(out, input.batch_sizes, order, back)
        return packed, self._given_back(final)

    def _state_sizes(self) -> list[int]:
        return [self.hidden_size]

    def _as_state(self, hx: Any) -> State:
        return (hx,)

    def _given_back(self, state: State) -> Any:
        return state[0]

    def _state(self, hx: Any, like: Tensor, count: int, alone: bool) -> State:
        """The first state: zeros, or hx with a batch and of the right shape."""
        rows = self.num_layers * (1 + self.bidirectional)
        shapes = [(rows, count, size) for size in self._state_sizes()]
        if hx is None:
            return tuple(like.new_zeros(shape) for shape in shapes)
        state = self._as_state(hx)
        rank = 2 if alone else 3
        for s in state:
            if s.ndim != rank:
                kind = "unbatched 2-D" if alone else "batched 3-D"
                raise RuntimeError(
                    f"For {kind} input, hx should also be {rank}-D but got {s.ndim}-D "
                    "tensor"
                )
        state = tuple(s.unsqueeze(1) for s in state) if alone else state
        for i, (s, shape) in enumerate(zip(state, shapes)):
            if tuple(s.shape) != shape:
                which = f"hidden[{i}]" if len(shapes) > 1 else "hidden"
                raise RuntimeError(
                    f"{type(self).__name__}: Expected {which} size {shape}, got "
                    f"{list(s.shape)}"
                )
        return state

    def _check_input(self, input: Tensor, packed: bool = False) -> None:
        name = type(self).__name__
        if not packed and input.ndim not in (2, 3):
            raise ValueError(
                f"{name}: Expected input to be 2D or 3D, got {input.ndim}D instead"
            )
        if input.shape[-1] != self.input_size:
            raise RuntimeError(
                f"{name}: input.size(-1) must be equal to input_size. Expected "
                f"{self.input_size}, got an input of shape {list(input.shape)}"
            )
        weight = self._parameters["weight_ih_l0"]
        if input.dtype != weight.dtype:
            raise ValueError(
                f"{name}: input must have the type {weight.dtype}, got type "
                f"{input.dtype}"
            )

    def extra_repr(self) -> str:
        text = f"{self.input_size}, {self.hidden_size}"
        usual = {"proj_size": 0, "num_layers": 1, "bias": True, "batch_first": False}
        usual |= {"dropout": 0, "bidirectional": False}
        for name, value in usual.items():
            if getattr(self, name) != value:
                text += f", {name}={getattr(self, name)}"
        return text


class RNN(_Recurrent):
    """h_t = tanh(x_t W_ihᵀ + b_ih + h_{t-1} W_hhᵀ + b_hh), or relu of it, by layers.

    input (T, N, input_size), (N, T, input_size) with batch_first, (T, input_size)
    without a batch, or a PackedSequence; h_0 (layers · directions, N, hidden_size) or
    0. Returns the last layer's h of all steps, both directions side by side, and every
    layer's last h.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(
                f"Unknown nonlinearity '{nonlinearity}'. Select from 'tanh' or 'relu'."
            )
        mode = f"RNN_{nonlinearity.upper()}"
        object.__setattr__(self, "mode", mode)
        options = bias, batch_first, dropout, bidirectional, 0, device, dtype
        super().__init__(input_size, hidden_size, num_layers, *options)
        self.nonlinearity = nonlinearity


class GRU(_Recurrent):
    """A gated recurrent unit (see rnn_cells.gru), layer by layer.

    Takes and returns what RNN does.
    """

    mode = "GRU"

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        options = bias, batch_first, dropout, bidirectional, 0, device, dtype
        super().__init__(input_size, hidden_size, num_layers, *options)


class LSTM(_Recurrent):
    """A long short-term memory (see rnn_cells.lstm), layer by layer.

    Takes and returns what RNN does, but its state is (h, c). With proj_size each h is
    multiplied by weight_hr, and has that size.
    """

    mode = "LSTM"
    _recorded_as = "MkldnnRnnLayer"

    def _walk(
        self, xs: Tensor, sizes: list[int], state: State, of: Any, reverse: bool
    ) -> tuple[Tensor, State]:
        if self.proj_size or sizes[0] != sizes[-1]:
            return super()._walk(xs, sizes, state, of, reverse)
        bias = of("bias_ih") + of("bias_hh") if self.bias else None
        gates = linear(xs, of("weight_ih"), bias).unflatten(0, (len(sizes), -1))
        gates = gates.flip(0) if reverse else gates
        out, *final = LSTMSequence.apply(gates, of("weight_hh"), *state)
        return (out.flip(0) if reverse else out).flatten(0, 1), tuple(final)

    def _state_sizes(self) -> list[int]:
        return [self.proj_size or self.hidden_size, self.hidden_size]

    def _as_state(self, hx: Any) -> State:
        return tuple(hx)

    def _given_back(self, state: State) -> Any:
        return state


def _check_arguments(
    hidden_size: int, num_layers: int, dropout: float, proj_size: int
) -> None:
    is_number = isinstance(dropout, numbers.Number) and not isinstance(dropout, bool)
    if not is_number or not 0 <= dropout <= 1:
        raise ValueError(
            "dropout should be a number in range [0, 1] representing the probability "
            "of an element being zeroed"
        )
    if dropout > 0 and num_layers == 1:
        warnings.warn(
            "dropout option adds dropout after all but last recurrent layer, so "
            "non-zero dropout expects num_layers greater than 1, but got "
            f"dropout={dropout} and num_layers={num_layers}",
            stacklevel=4,
        )
    if not isinstance(hidden_size, int):
        kind = type(hidden_size).__name__
        raise TypeError(f"hidden_size should be of type int, got: {kind}")
    if hidden_size <= 0:
        raise ValueError("hidden_size must be greater than zero")
    if num_layers <= 0:
        raise ValueError("num_layers must be greater than zero")
    if proj_size < 0:
        raise ValueError(
            "proj_size should be a positive integer or zero to disable projections"
        )
    if proj_size >= hidden_size:
        raise ValueError("proj_size has to be smaller than hidden_size")
