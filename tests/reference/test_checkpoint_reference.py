"""utils.checkpoint gives PyTorch's gradients, and draws its numbers."""

from importlib import import_module

import pytest

import veem

torch = pytest.importorskip("torch", reason="PyTorch is the reference here")


@pytest.mark.parametrize("reentrant", [False, True])
def test_checkpoint(reentrant):
    found = []
    for v in (torch, veem):
        checkpoint = import_module(f"{v.__name__}.utils.checkpoint").checkpoint
        v.manual_seed(2)
        net = v.nn.Sequential(v.nn.Linear(4, 6), v.nn.Dropout(0.3), v.nn.Linear(6, 1))
        x = v.randn(3, 4, requires_grad=True)
        out = checkpoint(net, x, use_reentrant=reentrant)
        out.square().sum().backward()
        found.append([x.grad.tolist(), net[0].weight.grad.tolist(), v.rand(2).tolist()])
    for a, b in zip(*found):
        assert veem.allclose(veem.tensor(a), veem.tensor(b), rtol=1e-4, atol=1e-6)
