"""Kernels are compiled once per instruction set: all agree, none leaks into another."""

import os
import pathlib
import shutil
import subprocess
import sys

import numpy as np
import pytest
from opinfo import all_rows, tensors

import veem

ROOT = pathlib.Path(__file__).parent.parent
USED = veem._core.cpu_isa()
OTHERS = [isa for isa in veem._core.cpu_isas() if isa != USED]


def results():
    """{sample: result} of every op, in numbers large enough for vector loops too."""
    found = {}
    for row in all_rows():
        for dtype in row.dtypes:
            for i, s in enumerate(row.samples(np.random.default_rng(3), dtype)):
                veem.manual_seed(0)
                out = row.call(*tensors(s.args), **s.kwargs)
                for j, r in enumerate(out if isinstance(out, (tuple, list)) else [out]):
                    if isinstance(r, veem.Tensor):
                        found[f"{row.name} {dtype} {i} {j}"] = r.numpy(force=True)
    return found


SCRIPT = """
import sys
sys.path.insert(0, sys.argv[1])
import numpy
from test_isa import USED, results
assert USED == sys.argv[2], USED
numpy.savez(sys.argv[3], **results())
"""


@pytest.mark.skipif(not OTHERS, reason="this processor runs one instruction set")
@pytest.mark.parametrize("isa", OTHERS)
def test_instruction_sets_agree(isa, tmp_path):
    out = tmp_path / "results.npz"
    command = [sys.executable, "-c", SCRIPT, str(ROOT / "tests"), isa, str(out)]
    subprocess.run(command, check=True, env={**os.environ, "VEEM_ISA": isa})
    theirs, ours = np.load(out), results()
    tolerance = {row.name: row.tolerance for row in all_rows()}
    assert set(theirs) == set(ours)
    for name, value in ours.items():
        eps = tolerance[name.split()[0]] if value.dtype == np.float32 else 1e-12
        np.testing.assert_allclose(
            theirs[name], value, rtol=eps, atol=eps, err_msg=name, equal_nan=True
        )


def test_an_instruction_set_that_is_not_there_is_refused():
    env = {**os.environ, "VEEM_ISA": "v9"}
    command = [sys.executable, "-c", "import veem; veem.ones(1)"]
    done = subprocess.run(command, env=env, capture_output=True, text=True)
    assert done.returncode == 1
    assert "'v9' is not among the instruction sets" in done.stderr


def kernel_objects():
    """Object files of the kernels for more than the baseline, by instruction set."""
    build = ROOT / os.environ.get("VEEM_BUILD", "build/make")
    for isa in ("v3", "v4"):
        for path in build.glob(f"CMakeFiles/veem_cpu_{isa}.dir/cpp/cpu/*.o"):
            yield isa, path


@pytest.mark.skipif(not shutil.which("nm"), reason="nm is not installed")
@pytest.mark.skipif(
    not any(kernel_objects()),
    reason="no build folder: run it as `make test`, on x86-64",
)
def test_no_weak_symbol_outside_its_instruction_set():
    """The linker keeps one of several equal weak symbols: one from these files could
    end up in baseline code, on processors that cannot run it.
    """
    leaks = []
    for isa, path in kernel_objects():
        listing = subprocess.run(
            ["nm", "-C", "--defined-only", str(path)],
            check=True,
            capture_output=True,
            text=True,
        )
        for line in listing.stdout.splitlines():
            kind, symbol = line[17:18], line[19:]
            if kind in "WVu" and f"veem::isa_{isa}::" not in symbol:
                leaks.append(f"{path.name} for {isa}: {symbol}")
    assert not leaks, leaks
