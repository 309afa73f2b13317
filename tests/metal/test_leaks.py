"""After work on "metal" nothing is left: no object of Metal's, no byte."""

import gc

import numpy as np
import pytest

import veem

pytestmark = pytest.mark.skipif(
    not veem.metal.is_simulated(), reason="only software Metal counts its objects"
)

DOUBLE = """
#include <metal_stdlib>
kernel void twice(device float* x [[buffer(0)]],
                  uint i [[thread_position_in_grid]]) { x[i] *= 2; }
"""
BROKEN = DOUBLE.replace("x[i]", "x[i + 1]")


def left():
    gc.collect()
    veem.metal.synchronize()
    return veem._core.metal.live_objects(), veem.metal.memory_allocated()


def leaves_nothing(work):
    """The second time, as the first keeps libraries and pipelines."""
    work()
    before = left()
    work()
    assert left() == before


def tensor():
    return veem.from_numpy(np.ones(8, np.float32)).to("metal")


def test_tensors_and_copies():
    leaves_nothing(lambda: tensor().cpu().to("metal").numpy(force=True))


def test_a_users_kernel():
    def work():
        x = tensor()
        veem.metal.kernel(DOUBLE)(8, 8, x)
        assert x.tolist() == [2] * 8

    leaves_nothing(work)


def test_a_kernel_that_fails():
    def work():
        veem.metal.kernel(BROKEN)(8, 8, tensor())
        with pytest.raises(RuntimeError, match="out of bounds"):
            veem.metal.synchronize()

    leaves_nothing(work)


def test_source_that_does_not_compile():
    def work():
        with pytest.raises(RuntimeError, match="error"):
            veem.metal.kernel("kernel void f( {}")

    leaves_nothing(work)


def test_a_wrong_call():
    def work():
        with pytest.raises(RuntimeError, match="at most 1024"):
            veem.metal.kernel(DOUBLE)(4096, 2048, tensor())

    leaves_nothing(work)


def test_a_training_step():
    def work():
        model = veem.nn.Linear(4, 3).to("metal")
        optimizer = veem.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
        x = veem.ones(5, 4).to("metal")
        for _ in range(2):
            optimizer.zero_grad()
            model(x).pow(2).mean().backward()
            optimizer.step()

    leaves_nothing(work)


def test_bytes_are_counted():
    before = veem.metal.memory_allocated()
    veem.metal.reset_peak_memory_stats()
    x = veem.ones(1000).to("metal")
    assert veem.metal.memory_allocated() - before == 4000
    del x
    assert veem.metal.memory_allocated() == before
    assert veem.metal.max_memory_allocated() - before >= 4000
    assert veem.metal.memory_reserved() >= veem.metal.memory_allocated()
