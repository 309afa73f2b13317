"""The simulator's options, and the errors that reach Python."""

import os
import subprocess
import sys

import numpy as np
import pytest

import veem

pytestmark = pytest.mark.skipif(
    not veem.metal.is_simulated(), reason="the device is not simulated"
)

RACE = """
#include <metal_stdlib>
kernel void last(device int* x [[buffer(0)]], uint i [[thread_position_in_grid]]) {
  x[0] = i;
}
"""


def zeros(n):
    return veem.from_numpy(np.zeros(n, np.int32)).to("metal")


def last(**options):
    """The thread that wrote last, where nothing keeps them in order."""
    x = zeros(1)
    with veem.metal.simulator(checks=False, **options):
        veem.metal.kernel(RACE)(8, 8, x)
    return x.item()


def test_orders_of_threads():
    assert last(order="forward") == 7
    assert last(order="reverse") == 0
    assert len({last(order=seed) for seed in range(20)}) > 2
    assert last(order=5) == last(order=5)


def test_options_end_with_the_block():
    before = veem._core.metal.options()
    with veem.metal.simulator(checks=False, order=3, fast_math=True):
        inside = veem._core.metal.options()
    assert inside == {"checks": False, "order": 3, "fast_math": True}
    with pytest.raises(RuntimeError, match="race"), veem.metal.simulator():
        veem.metal.kernel(RACE)(8, 8, zeros(1))
    assert veem._core.metal.options() == before
    with pytest.raises(ValueError, match="'forward', 'reverse' or a seed"):
        veem.metal.simulator(order="sideways").__enter__()


def test_options_from_the_environment():
    done = subprocess.run(
        [sys.executable, "-c", "import veem; print(veem._core.metal.options())"],
        env={**os.environ, "VEEM_SIMULATOR": "checks=off order=reverse fast_math=on"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "'checks': False" in done.stdout and "'reverse'" in done.stdout, done.stderr


def test_every_report_says_simulated():
    assert "simulated" in veem.metal.device_name()
    veem.metal.kernel(RACE)(8, 8, zeros(1))
    with pytest.raises(RuntimeError, match="simulated Metal"):
        veem.metal.synchronize()


def test_work_goes_on_after_an_error():
    x = zeros(8)
    kernel = veem.metal.kernel(RACE.replace("x[0] = i", "x[i] = i"))
    kernel(9, 9, x)
    with pytest.raises(RuntimeError, match="out of bounds"):
        veem.metal.synchronize()
    kernel(8, 8, x)
    assert x.tolist() == list(range(8))
