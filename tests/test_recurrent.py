"""Recurrent and Transformer layers: second derivatives, and devices that agree."""

import numpy as np
import pytest

import veem
from veem import nn

DEVICES = veem._core.devices()
LAYERS = {
    "rnn": lambda: nn.RNN(3, 2, nonlinearity="tanh", bidirectional=True),
    "lstm": lambda: nn.LSTM(3, 2, bidirectional=True),
    "projected lstm": lambda: nn.LSTM(3, 3, num_layers=2, proj_size=2),
    "gru": lambda: nn.GRU(3, 2, bias=False),
    "attention": lambda: Attended(nn.MultiheadAttention(4, 2, kdim=3, vdim=3)),
    "encoder": lambda: nn.Sequential(
        nn.Linear(3, 4), nn.TransformerEncoderLayer(4, 2, 5, dropout=0.0)
    ),
}


class Attended(nn.Module):
    def __init__(self, attention):
        super().__init__()
        self.attention = attention

    def forward(self, x):
        query = veem.cat([x, x[..., :1]], -1)
        return self.attention(query, x, x, need_weights=False)


def outputs(result):
    if isinstance(result, (tuple, list)):
        return [t for part in result for t in outputs(part)]
    return [] if result is None else [result]


def made(name):
    veem.manual_seed(2)
    return LAYERS[name]()


@pytest.mark.parametrize("name", LAYERS)
def test_derivatives(name):
    layer = made(name).double()
    x = veem.randn(3, 2, 3, dtype=veem.float64).requires_grad_()
    weights = [p for p in layer.parameters() if p.ndim > 1][:2]
    values = [p.detach().clone().requires_grad_() for p in weights]
    names = [n for n, p in layer.named_parameters() if any(p is w for w in weights)]

    def call(x, *values):
        given = dict(zip(names, values))
        return tuple(outputs(veem.func.functional_call(layer, given, (x,))))

    assert veem.autograd.gradcheck(call, (x, *values))
    assert veem.autograd.gradgradcheck(call, (x, *values))


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", LAYERS)
def test_devices_agree(name, device):
    results = []
    for place in (device, "cpu"):
        layer, x = made(name).to(place), veem.randn(4, 2, 3)
        x = x.to(place).requires_grad_()
        outs = outputs(layer(x))
        loss = sum((o * o).sum() for o in outs)
        grads = veem.autograd.grad(loss, [x, *layer.parameters()])
        results.append([*outs, *grads])
    for a, b in zip(*results):
        np.testing.assert_allclose(
            a.numpy(force=True), b.numpy(force=True), rtol=1e-4, atol=1e-5
        )


@pytest.mark.parametrize("device", DEVICES)
def test_bags_and_packs_on_devices(device):
    rnn = nn.utils.rnn
    table = veem.arange(12, dtype=veem.float32).reshape(6, 2).to(device)
    ids, offsets = veem.tensor([5, 1, 2, 2]).to(device), veem.tensor([0, 1]).to(device)
    for mode, wanted in (("sum", [[10, 11], [10, 13]]), ("max", [[10, 11], [4, 5]])):
        bags = nn.functional.embedding_bag(ids, table, offsets, mode=mode)
        assert bags.cpu().tolist() == wanted
    packed = rnn.pack_sequence([table[:1], table[1:4]], enforce_sorted=False)
    assert packed.data.device == table.device
    back = rnn.unpack_sequence(packed)
    assert [x.cpu().tolist() for x in back] == [
        table[:1].cpu().tolist(),
        table[1:4].cpu().tolist(),
    ]
