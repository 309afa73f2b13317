"""The ladder of examples/metal: each rung runs, and makes the same product."""

import pathlib
import subprocess
import sys

import numpy as np
import pytest

import veem

if "metal" not in veem._core.devices():
    pytest.skip("no metal device", allow_module_level=True)

EXAMPLES = pathlib.Path(__file__).parents[2] / "examples" / "metal"


def up(n, size):
    return -(-n // size)


# name: (grid for m rows and n columns, group)
RUNGS = {
    "naive": (lambda m, n: (n, m), (16, 16)),
    "tiled": (lambda m, n: (16 * up(n, 16), 16 * up(m, 16)), (16, 16)),
    "blocked": (lambda m, n: (16 * up(n, 64), 16 * up(m, 64)), (16, 16)),
    "simdgroup": (lambda m, n: (128 * up(n, 32), up(m, 32)), (128, 1)),
}


@pytest.mark.parametrize("rung", RUNGS)
@pytest.mark.parametrize("m, n, k", [(40, 35, 30), (64, 64, 32), (1, 70, 5)])
def test_rung(rung, m, n, k):
    rng = np.random.default_rng(m)
    a = rng.standard_normal((m, k)).astype("float32")
    w = rng.standard_normal((k, n)).astype("float32")
    out = veem.zeros(m, n, device="metal")
    matmul = veem.metal.kernel((EXAMPLES / f"matmul_{rung}.metal").read_text())
    grid, group = RUNGS[rung]
    tensors = [veem.tensor(x, device="metal") for x in (a, w)]
    matmul(grid(m, n), group, *tensors, out, m, n, k)
    np.testing.assert_allclose(out.cpu().numpy(), a @ w, rtol=1e-5, atol=1e-5)


def test_the_command_of_the_docs():
    page = (EXAMPLES.parents[1] / "docs" / "metal.md").read_text()
    command = page.split("python -m veem metal run examples/metal/matmul_tiled")[1]
    words = command.split("```")[0].replace("\\\n", " ").split()
    file = str(EXAMPLES / "matmul_tiled.metal")
    command = [sys.executable, "-m", "veem", "metal", "run", file, *words[1:]]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
