"""Runs a kernel of a test on NumPy arrays."""

import numpy as np
import pytest

import veem

simulated = pytest.mark.skipif(
    not veem.metal.is_simulated(), reason="veem was built without the Metal simulator"
)


def run(
    source,
    grid,
    group,
    *arrays,
    name=None,
    threadgroup=(),
    constants=None,
    order="forward",
):
    """The arrays as the kernel leaves them; what it does not take as a tensor stays."""
    kernel = veem.metal.kernel(source, name, constants)
    bound = [
        veem.tensor(a, device="metal") if isinstance(a, np.ndarray) else a
        for a in arrays
    ]
    with veem.metal.simulator(order=order):
        kernel(grid, group, *bound, threadgroup=threadgroup)
    return [
        b.cpu().numpy() if isinstance(a, np.ndarray) else a
        for a, b in zip(arrays, bound)
    ]
