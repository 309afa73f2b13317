"""Whole programs with only the device changed: training, saving, loading, mixing."""

import copy
import io
import math
import pathlib
import pickle
import sys

import numpy as np
import pytest

import veem
from veem import nn, optim
from veem.nn import functional as F
from veem.utils.data import DataLoader, TensorDataset, WeightedRandomSampler

if "metal" not in veem._core.devices():
    pytest.skip("no metal device", allow_module_level=True)

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "examples"))


def mlp():
    return nn.Sequential(
        nn.Linear(12, 20), nn.LayerNorm(20), nn.GELU(), nn.Linear(20, 4)
    )


def cnn():
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(4, 6, 3), nn.Tanh(), nn.Flatten(), nn.Linear(24, 4),
    )  # fmt: skip


def train(make, shape, optimizer, device, steps=5):
    """The losses of each step, from parameters and batches that are the CPU's."""
    veem.manual_seed(1)
    model = make().to(device)
    images, labels = veem.randn(24, *shape), veem.randint(4, (24,))
    step = optimizer(model.parameters())
    schedule = optim.lr_scheduler.StepLR(step, 2, 0.5)
    losses = []
    loader = DataLoader(TensorDataset(images, labels), 8, shuffle=True)
    while len(losses) < steps:
        for x, y in loader:
            step.zero_grad()
            loss = F.cross_entropy(model(x.to(device)), y.to(device))
            loss.backward()
            norm = nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            assert norm.device.type == device and math.isfinite(norm)
            step.step()
            schedule.step()
            losses.append(loss.item())
    return losses, model, step


OPTIMIZERS = {
    "sgd": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True),
    "adam": lambda p: optim.Adam(p, lr=0.02, amsgrad=True),
    "adamw": lambda p: optim.AdamW(p, lr=0.02),
    "plain": lambda p: optim.Adam(p, lr=0.02, fused=False),
}


def check_losses(got, wanted):
    np.testing.assert_allclose(got[0], wanted[0], rtol=1e-5)
    np.testing.assert_allclose(got, wanted, rtol=1e-3)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_mlp_learns_as_on_the_cpu(name):
    wanted, *_ = train(mlp, (12,), OPTIMIZERS[name], "cpu")
    got, *_ = train(mlp, (12,), OPTIMIZERS[name], "metal")
    check_losses(got, wanted)


def test_cnn_learns_as_on_the_cpu():
    wanted, *_ = train(cnn, (1, 8, 8), OPTIMIZERS["adam"], "cpu")
    got, *_ = train(cnn, (1, 8, 8), OPTIMIZERS["adam"], "metal")
    check_losses(got, wanted)


# ---- saving and loading -------------------------------------------------------------


def test_a_checkpoint_goes_from_device_to_device(tmp_path):
    _, model, step = train(mlp, (12,), OPTIMIZERS["adam"], "metal", 3)
    veem.save({"model": model.state_dict(), "step": step.state_dict()}, tmp_path / "a")
    for device in ("cpu", "metal"):
        state = veem.load(tmp_path / "a", map_location=device)
        assert {v.device.type for v in state["model"].values()} == {device}
        other = mlp().to("metal")
        other.load_state_dict(state["model"])
        again = OPTIMIZERS["adam"](other.parameters())
        again.load_state_dict(state["step"])
        for p, q in zip(model.parameters(), other.parameters()):
            assert p.tolist() == q.tolist() and q.device.type == "metal"
            mine, theirs = step.state[p], again.state[q]
            assert theirs["exp_avg"].device.type == "metal"
            assert theirs["step"].device.type == "cpu"
            assert mine["exp_avg_sq"].tolist() == theirs["exp_avg_sq"].tolist()
        x = veem.ones(2, 12, device="metal")
        other(x).sum().backward()
        again.step()


def test_double_parameters_load_as_float():
    state = {k: v.double() for k, v in mlp().state_dict().items()}
    model = mlp().to("metal")
    model.load_state_dict(state)
    assert model[0].weight.tolist() == state["0.weight"].tolist()


def test_copies_stay_on_the_device():
    model = mlp().to("metal:0")
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert all(p.device == veem.device("metal") for p in other.parameters())
        assert other[0].weight.tolist() == model[0].weight.tolist()
    file = io.BytesIO()
    veem.save(model[0].weight, file)
    file.seek(0)
    assert veem.load(file, map_location="metal").device.type == "metal"
    assert {p.device.type for p in model.cpu().parameters()} == {"cpu"}


# ---- layers and functions that make tensors of their own -----------------------------


def test_layers_as_on_the_cpu():
    def run(device):
        veem.manual_seed(2)
        q = veem.randn(2, 4, 6, 8).to(device)
        mask = veem.rand(6, 6).to(device) > 0.4
        x = veem.randn(3, 4, 8, 8).to(device)
        ids = veem.randint(5, (3, 7)).to(device)
        table = nn.Embedding(5, 4, padding_idx=0).to(device)
        norm = nn.BatchNorm2d(4).to(device)
        yield F.scaled_dot_product_attention(q, q, q, is_causal=True)
        yield F.scaled_dot_product_attention(q, q, q, mask)
        yield F.scaled_dot_product_attention(q, q, q, mask.float())
        yield F.avg_pool2d(x, 3, stride=2, padding=1, ceil_mode=True)
        yield F.pad(x[0], (1, 2), mode="reflect")
        yield F.pad(x, (1, 2, 0, 1), value=3.0)
        yield F.one_hot(ids, 6)
        yield table(ids)
        yield F.cross_entropy(q[0, 0], ids[0, :6], label_smoothing=0.1)
        yield F.mse_loss(x, x * 2)
        yield F.binary_cross_entropy_with_logits(x, (x > 0).float())
        yield norm(x)
        yield x.tril(1)
        yield x.triu(-1)
        yield veem.tril_indices(4, 5, device=device)
        yield x.flip(1)
        yield x[0, 0].repeat_interleave(2, 0)
        yield veem.arange(2, 9, 2, device=device)
        yield veem.linspace(0, 1, 5, device=device)
        yield veem.eye(3, device=device)
        yield veem.full((2, 2), 7, device=device)
        yield x.roll(1, 2)
        yield x.cumsum(1) if hasattr(x, "cumsum") else x
        yield nn.init.orthogonal_(veem.empty(3, 4, device=device)).shape[0] * x
        yield nn.init.eye_(veem.empty(3, 4, device=device))

    for got, wanted in zip(run("metal"), run("cpu"), strict=True):
        assert got.device.type == "metal" and got.dtype == wanted.dtype
        np.testing.assert_allclose(
            got.detach().cpu().numpy(), wanted.detach().numpy(), rtol=2e-5, atol=1e-6
        )


def test_samplers():
    weights = veem.tensor([0.0, 1, 2])
    assert 0 not in list(WeightedRandomSampler(weights.to("metal"), 9))
    x = veem.arange(6, device="metal")
    parts = veem.utils.data.random_split(TensorDataset(x), [2, 4])
    seen = [v.item() for part in parts for (v,) in part]
    assert sorted(seen) == list(range(6))
    loader = DataLoader(TensorDataset(x, x * 2), 4)
    assert [a.tolist() for a, _ in loader] == [[0, 1, 2, 3], [4, 5]]


# ---- devices ------------------------------------------------------------------------


def test_numbers_come_back():
    x = veem.tensor([[1.5, -2], [0, 4]], device="metal")
    assert repr(x).endswith("device='metal')") and "1.5000" in repr(x)
    assert x.tolist() == [[1.5, -2], [0, 4]] and x[1, 1].item() == 4
    assert bool(x[0, 0]) and float(x[0, 1]) == -2 and int(x[1, 1]) == 4
    assert f"{x[0, 0]:.2f}" == "1.50" and len(x) == 2
    with pytest.raises(TypeError, match="Tensor.cpu()"):
        x.numpy()
    assert (veem.tensor(x.cpu().numpy(), device="metal") == x).all()
    assert veem.as_tensor([1, 2], device="metal:0").device == veem.device("metal")


def test_no_float64():
    for make in (
        lambda: veem.zeros(2, dtype=veem.float64, device="metal"),
        lambda: veem.tensor([1.0], dtype=veem.float64, device="metal"),
        lambda: veem.ones(2).double().to("metal"),
        lambda: veem.ones(2, device="metal").double(),
        lambda: mlp().to("metal").double(),
    ):
        with pytest.raises(TypeError, match="no float64; use float32"):
            make()
    assert veem.ones(2).double().to("metal", veem.float32).dtype == veem.float32
    assert veem.ones(2, device="metal").to("cpu", veem.float64).dtype == veem.float64


def ids(x):
    return veem.zeros(3, dtype=veem.int64, device=x.device)


MIXED = {  # ops of a tensor here and one there
    "add": lambda a, b: a + b,
    "add_": lambda a, b: a.clone().add_(b),
    "matmul": lambda a, b: a @ b,
    "where": lambda a, b: veem.where(a > 0, a, b),
    "cat": lambda a, b: veem.cat([a, b]),
    "linear": lambda a, b: F.linear(a, b),
    "bias": lambda a, b: F.linear(a, a, b[0]),
    "conv2d": lambda a, b: F.conv2d(a.view(1, 1, 3, 3), b.view(1, 1, 3, 3)),
    "layer_norm": lambda a, b: F.layer_norm(a, (3,), b[0]),
    "mse_loss": lambda a, b: F.mse_loss(a, b),
    "cross_entropy": lambda a, b: F.cross_entropy(a, ids(b)),
    "gather": lambda a, b: a.gather(0, b.long()),
    "index_select": lambda a, b: a.index_select(0, ids(b)),
    "embedding": lambda a, b: F.embedding(ids(b), a),
    "scatter": lambda a, b: a.scatter(0, a.long(), b),
    "index_add": lambda a, b: a.index_add(0, ids(a), b),
    "masked_fill": lambda a, b: a.masked_fill(b > 0, 1.0),
    "bernoulli": lambda a, b: a.clone().bernoulli_(b),
    "sum_of_lines": lambda a, b: a + b[0],
}


@pytest.mark.parametrize("devices", [("metal", "cpu"), ("cpu", "metal")])
@pytest.mark.parametrize("name", MIXED)
def test_mixed_devices_raise(name, devices):
    a, b = (veem.ones(3, 3, device=device) for device in devices)
    with pytest.raises(RuntimeError, match="same device, but found at least two"):
        MIXED[name](a, b)


def test_what_may_be_mixed():
    x = veem.arange(6.0, device="metal").view(2, 3)
    scale = veem.tensor(3.0, dtype=veem.float64, requires_grad=True)
    y = x * scale  # a 0-d tensor of the CPU is a number
    assert y.device.type == "metal" and y.dtype == veem.float32
    y.sum().backward()
    assert scale.grad.device.type == "cpu" and scale.grad.item() == 15
    assert x[veem.tensor([1, 0])].tolist() == [[3, 4, 5], [0, 1, 2]]
    assert x[[1]].tolist() == [[3, 4, 5]] and x[veem.tensor([True, False])].numel() == 3
    x[0] = veem.tensor([7.0, 8, 9], dtype=veem.float64)
    assert x.tolist() == [[7, 8, 9], [3, 4, 5]]
    here = veem.zeros(2, 3, dtype=veem.float64).copy_(x)
    assert here.tolist() == x.tolist()
    assert veem.zeros(2, 3, device="metal").copy_(here).tolist() == x.tolist()
    moved = veem.ones(3, requires_grad=True)
    (moved.to("metal") * 2).sum().backward()
    assert moved.grad.device.type == "cpu" and moved.grad.tolist() == [2, 2, 2]


# ---- the examples --------------------------------------------------------------------


def test_gpt_example(tmp_path):
    import gpt

    text = tmp_path / "text.txt"
    text.write_text("to be, or not to be: that is the question. " * 8)
    tiny = "--steps 2 --batch-size 2 --context 8 --width 8 --heads 2 --layers 1"
    arguments = [str(text), *tiny.split(), "--sample", "4"]
    assert len(gpt.main([*arguments, "--device", "metal"])) == 5


def test_mnist_example(tmp_path, monkeypatch):
    import mnist

    def small(_):
        images, labels = veem.rand(8, 1, 8, 8), veem.randint(10, (8,))
        return [Small(images, labels)] * 2

    class Small:
        def __init__(self, images, labels):
            self.images, self.data, self.targets = images, images[:, 0], labels

        def tensors(self):
            return self.images, self.targets

    monkeypatch.setattr(mnist, "load", small)
    arguments = "--model cnn --batch-size 4 --device metal --epochs 2".split()
    wanted = mnist.main([*arguments, "--out", str(tmp_path)])
    # ... and goes on from a checkpoint: the device's stream is in it.
    veem.manual_seed(99)
    args = mnist.parse([*arguments, "--out", str(tmp_path)])
    state = veem.load(tmp_path / "cnn.pt")
    assert len(state["random"]) == 2 and len(state["history"]) == len(wanted) == 2
    assert mnist.streams(args) == [veem, veem.metal]
