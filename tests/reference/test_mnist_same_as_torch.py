"""One program, two frameworks: the same seed gives the same losses on MNIST.

Starting values, the order of the samples and the dropped units all come from the random
stream; then forward, loss, backward and Adam must agree, a hundred times in a row.
"""

import os

import pytest

import veem
from veem import datasets

torch = pytest.importorskip("torch", reason="PyTorch is the reference here")

STEPS = {1: 1e-4, 10: 1e-3, 100: 1e-2}  # where the losses are compared, and how closely


@pytest.fixture(scope="module")
def digits():
    if not os.environ.get("VEEM_DATA"):
        pytest.skip("VEEM_DATA names no folder with MNIST in it")
    return datasets.MNIST().tensors()


def mlp(nn):
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(784, 128),
        nn.ReLU(),
        nn.Dropout(0.2),
        nn.Linear(128, 10),
    )


def cnn(nn):
    return nn.Sequential(
        nn.Conv2d(1, 8, 5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(8, 16, 5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(16 * 7 * 7, 10),
    )


# Rates at which a rounding error does not grow: with SGD at 0.05 PyTorch's own loss at
# step 100 changes by 2e-2 with its number of threads.
OPTIMIZERS = {
    "adam": lambda v, p: v.optim.Adam(p, lr=1e-3),
    "sgd": lambda v, p: v.optim.SGD(p, lr=0.01, momentum=0.9, weight_decay=1e-4),
}


def losses(v, build, optimizer, images, labels):
    v.manual_seed(7)
    model = build(v.nn)
    loader = v.utils.data.DataLoader(
        v.utils.data.TensorDataset(images, labels), batch_size=64, shuffle=True
    )
    step = OPTIMIZERS[optimizer](v, model.parameters())
    seen = []
    for _, (x, y) in zip(range(max(STEPS)), loader):
        step.zero_grad()
        loss = v.nn.functional.cross_entropy(model(x), y)
        loss.backward()
        step.step()
        seen.append(loss.item())
    return seen


@pytest.mark.parametrize("build", [mlp, cnn])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_same_losses(digits, build, optimizer):
    images, labels = digits
    ours = losses(veem, build, optimizer, images, labels)
    theirs = losses(
        torch,
        build,
        optimizer,
        torch.from_numpy(images.numpy()),
        torch.from_numpy(labels.numpy()),
    )
    for step, tolerance in STEPS.items():
        assert ours[step - 1] == pytest.approx(theirs[step - 1], abs=tolerance), step
    assert sum(ours[-10:]) < 0.5 * sum(ours[:10])  # and they have learned something
