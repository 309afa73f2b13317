"""One layer of an LSTM over all steps."""

from __future__ import annotations

from typing import Any

import veem
from veem import Tensor

from .rnn_cells import State, lstm


class LSTMSequence(veem.autograd.Function):
    """The hidden states of all steps, and the last h and c.

    gates (T, N, 4 H), what the inputs make of i, f, g and o; w (4 H, H); h, c (N, H)
    -> (T, N, H), (N, H), (N, H).

    What `lstm` does step by step, by hand: the weight is laid out once as the products
    read it, its gradient is one product over all steps, and of the gates' gradients
    only what depends on the step behind is left to the walk back.
    """

    @staticmethod
    def forward(
        ctx: Any, gates: Tensor, w: Tensor, h: Tensor, c: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        turned, size, hs, cs, activated = w.t().contiguous(), h.shape[-1], [h], [c], []
        for x in gates:
            a = (h @ turned).add_(x)
            a[:, : 2 * size].sigmoid_()
            a[:, 3 * size :].sigmoid_()
            i, f, o = a[:, :size], a[:, size : 2 * size], a[:, 3 * size :]
            g = a[:, 2 * size : 3 * size].tanh_()
            c = (f * c).addcmul_(i, g)
            h = o * c.tanh()
            activated.append(a)
            hs.append(h)
            cs.append(c)
        states = [veem.stack(parts) for parts in (activated, hs[:-1], cs)]
        ctx.save_for_backward(gates, w, hs[0], cs[0], *states)
        return veem.stack(hs[1:]), h, c

    @staticmethod
    def backward(
        ctx: Any, g_out: Tensor, gh: Tensor, gc: Tensor
    ) -> tuple[Tensor | None, ...]:
        gates, w, h, c, activated, hs, cs = ctx.saved_tensors
        if veem.is_grad_enabled():
            return _recorded((gates, w, h, c), (g_out, gh, gc))
        size, t = h.shape[-1], cs[1:].tanh()
        i, f, g, o = activated.split(size, -1)
        # dc = gc + gh carry; the gradient of i, f and g is dc slopes, of o gh last.
        carry, last = o * (1 - t * t), t * o * (1 - o)
        slopes = veem.cat((g * i * (1 - i), cs[:-1] * f * (1 - f), i * (1 - g * g)), -1)
        slopes = slopes.unflatten(-1, (3, size))
        grads = veem.empty_like(gates)
        early = grads[..., : 3 * size].unflatten(-1, (3, size))
        for step in reversed(range(len(gates))):
            gh = gh + g_out[step]
            gc = veem.addcmul(gc, gh, carry[step])
            veem.mul(gc.unsqueeze(1), slopes[step], out=early[step])
            veem.mul(gh, last[step], out=grads[step, :, 3 * size :])
            gc, gh = gc * f[step], grads[step] @ w
        flat = grads.flatten(0, 1)
        return grads, flat.t() @ hs.flatten(0, 1), gh, gc


def _recorded(
    inputs: tuple[Tensor, ...], grads: tuple[Tensor, ...]
) -> tuple[Tensor | None, ...]:
    """The gradients through the plain steps, which have gradients themselves."""
    inputs = tuple(x.view_as(x) for x in inputs)  # the walk back ends here
    gates, w, h, c = inputs
    outs: list[Tensor] = []
    state: State = (h, c)
    for x in gates:
        state = lstm(x, state, w, None)
        outs.append(state[0])
    results = (veem.stack(outs), *state)
    wanted = [x for x in inputs if x.requires_grad]
    found = iter(veem.autograd.grad(results, wanted, grads, create_graph=True))
    return tuple(next(found) if x.requires_grad else None for x in inputs)
