"""Gradients on "metal" in float32 against those of the CPU, over the rows of opinfo."""

import numpy as np
import pytest
from opinfo import all_rows, tensors

import veem

pytestmark = pytest.mark.skipif(
    "metal" not in veem._core.devices(), reason="veem is built without Metal"
)
ROWS = [
    r
    for r in all_rows()
    if r.order > 0 and "float32" in r.dtypes and "metal" in (r.devices or ("metal",))
]


def gradients(row, sample, device):
    """The outputs, and the gradients of all float tensors for a seed that is not 1."""
    args = tensors(sample.args, device)
    flat = [x for a in args for x in (a if isinstance(a, list) else [a])]
    chosen = flat if row.diff is None else [args[i] for i in row.diff if i < len(args)]
    leaves = [
        x.requires_grad_()
        for x in chosen
        if isinstance(x, veem.Tensor) and x.is_floating_point()
    ]
    out = row.call(*args, **sample.kwargs)
    outs = [
        o
        for o in (out if isinstance(out, (tuple, list)) else [out])
        if isinstance(o, veem.Tensor) and o.requires_grad
    ]
    seeds = [
        veem.linspace(0.5, 1.5, o.numel()).reshape(o.shape).to(device) for o in outs
    ]
    if outs and leaves:
        found = veem.autograd.grad(outs, leaves, seeds, allow_unused=True)
    else:
        found = []
    return [x.numpy(force=True) for x in [*outs, *found] if x is not None]


@pytest.mark.parametrize("row", ROWS, ids=repr)
def test_gradients_are_those_of_the_cpu(row):
    for s in row.gradient_samples(np.random.default_rng(11), "float32"):
        pairs = zip(gradients(row, s, "metal"), gradients(row, s, "cpu"), strict=True)
        for found, expected in pairs:
            eps = max(2e-5, 4 * row.tolerance)  # sums run in another order
            np.testing.assert_allclose(
                found, expected, rtol=eps, atol=eps, err_msg=f"{row.name}{s}"
            )
