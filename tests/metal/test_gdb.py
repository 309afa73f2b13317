"""A breakpoint on a line of a kernel stops there, in one thread, with its variables."""

import shutil
import subprocess
import sys

import pytest
from simulated import simulated

pytestmark = [
    simulated,
    pytest.mark.skipif(shutil.which("gdb") is None, reason="gdb is not installed"),
]

PROGRAM = '''
import numpy as np
import veem
reverse = veem.metal.kernel("""#line 1 "reverse.metal"
#include <metal_stdlib>
using namespace metal;
kernel void reverse(device float* x [[buffer(0)]],
                    uint t [[thread_position_in_threadgroup]]) {
  threadgroup float tile[64];
  tile[t] = x[t];
  threadgroup_barrier(mem_flags::mem_threadgroup);
  float value = tile[63 - t];
  x[t] = value * 2;
}
""")
x = veem.tensor(np.arange(64, dtype=np.float32), device="metal")
reverse(64, 64, x)
print("ran", x.cpu().numpy()[:2])
'''


def test_breakpoint(tmp_path):
    (tmp_path / "program.py").write_text(PROGRAM)
    commands = [
        "set breakpoint pending on",
        "break reverse.metal:9 if t == 3",
        "run",
        "print t",
        "print value",
        "print tile[3]",
        "continue",
    ]
    options = [word for command in commands for word in ("-ex", command)]
    program = [sys.executable, str(tmp_path / "program.py")]
    done = subprocess.run(
        ["gdb", "-nx", "-batch", *options, "--args", *program],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert "at reverse.metal:9" in done.stdout, done.stdout + done.stderr
    assert "$1 = 3" in done.stdout
    assert "$2 = 60" in done.stdout
    assert "$3 = 3" in done.stdout
    assert "ran [126. 124.]" in done.stdout
