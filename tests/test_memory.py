"""Memory comes back: after steps of training, and over shapes that keep changing."""

import gc

import numpy as np

import veem
from veem import nn


def live():
    return veem._core.memory_stats("cpu")["live"]


def test_training_returns_to_the_baseline_without_the_garbage_collector():
    gc.collect()
    gc.disable()
    try:
        veem.manual_seed(0)
        model = nn.Sequential(
            nn.Conv2d(1, 4, 3),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(36, 10),
        )
        optimizer = veem.optim.Adam(model.parameters())
        loss_function = nn.CrossEntropyLoss()

        def step():
            x = veem.randn(16, 1, 8, 8)
            loss = loss_function(model(x), veem.randint(0, 10, (16,)))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            return loss.item()

        step()  # makes the optimizer's state
        optimizer.zero_grad()
        before = live()
        for _ in range(10):
            step()
            optimizer.zero_grad()
        assert live() == before
    finally:
        gc.enable()


def test_changing_shapes_do_not_grow_the_cache():
    rng = np.random.default_rng(0)
    veem._core.empty_cache("cpu")

    def held():
        stats = veem._core.memory_stats("cpu")
        return stats["live"] + stats["cached"]

    def run(steps):
        most = 0
        for _ in range(steps):
            n, m = rng.integers(1, 1500, 2).tolist()
            x = veem.ones(n, m, requires_grad=True)
            (x * 2 + x.exp()).sum().backward()
            most = max(most, held())
        return most

    largest = 6 * 1500 * 1500 * 4  # what one step can have alive at once
    assert run(300) <= 2 * largest + (128 << 20) + live()
    assert veem._core.memory_stats("cpu")["live"] < live() + largest
    veem._core.empty_cache("cpu")
    assert veem._core.memory_stats("cpu")["cached"] == 0
