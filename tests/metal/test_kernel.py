"""Kernels that a user writes: veem.metal.kernel, and python -m veem metal."""

import subprocess
import sys

import numpy as np
import pytest

import veem

pytestmark = pytest.mark.skipif(
    not veem.metal.is_available(), reason="veem is built without Metal"
)

HEADER = "#include <metal_stdlib>\nusing namespace metal;\n"
SAXPY = (
    HEADER
    + """
kernel void saxpy(device const float* x [[buffer(0)]],
                  device float* y       [[buffer(1)]],
                  constant float& a     [[buffer(2)]],
                  uint i [[thread_position_in_grid]]) {
  y[i] += a * x[i];
}
"""
)
TYPES = ["char", "uchar", "short", "int", "uint", "long", "float", "half", "bool"]


def on_metal(values, dtype=np.float32):
    return veem.from_numpy(np.array(values, dtype)).to("metal")


def test_a_kernel_writes_into_its_tensor():
    saxpy = veem.metal.kernel(SAXPY)
    x, y = on_metal(range(10)), on_metal([1] * 10)
    saxpy(10, 4, x, y, 2.0)
    assert y.tolist() == [1 + 2 * i for i in range(10)]
    saxpy((10,), (4, 1, 1), x, y, 1)  # an int, where the kernel has a float
    assert y.tolist() == [1 + 3 * i for i in range(10)]


def test_it_runs_in_order_with_ops():
    saxpy = veem.metal.kernel(SAXPY)
    x, y = on_metal(range(10)), on_metal([0] * 10)
    saxpy(10, 4, x, y, 2.0)
    saxpy(10, 4, y, x, 1.0)  # reads what the first wrote
    assert x.tolist() == [3.0 * i for i in range(10)]


def test_a_view_is_bound_at_its_offset():
    saxpy = veem.metal.kernel(SAXPY)
    x, y = on_metal(range(10)), on_metal([0] * 10)
    saxpy(4, 4, x[3:7], y[6:], 1.0)
    assert y.tolist() == [0] * 6 + [3, 4, 5, 6]
    if veem.metal.is_simulated():  # ends where it ends, not where its memory does
        saxpy(5, 5, x[3:7], y[5:], 1.0)
        with pytest.raises(RuntimeError, match="which has 16 bytes"):
            veem.metal.synchronize()


@pytest.mark.parametrize("name", TYPES)
def test_numbers_take_the_type_of_the_parameter(name):
    source = (
        HEADER
        + f"""kernel void take(constant {name}& value [[buffer(0)]],
                               device float* out [[buffer(1)]]) {{
          out[0] = float(value);
        }}"""
    )
    out = on_metal([0])
    veem.metal.kernel(source)(1, 1, True if name == "bool" else 3, out)
    assert out.tolist() == [1.0 if name == "bool" else 3.0]


def test_threadgroup_memory_constants_and_structs():
    source = (
        HEADER
        + """
        constant int amount [[function_constant(0)]];
        constant bool doubled [[function_constant(1)]];
        struct Shape { int n; float scale; };
        kernel void turn(device float* x [[buffer(0)]], constant Shape& s [[buffer(3)]],
                         threadgroup float* t [[threadgroup(0)]],
                         uint i [[thread_position_in_threadgroup]]) {
          t[i] = x[i];
          threadgroup_barrier(mem_flags::mem_threadgroup);
          x[i] = t[s.n - 1 - i] * s.scale * (doubled ? 2 : 1) + amount;
        }
        """
    )
    shape = np.array([(8, 0.5)], dtype="i4,f4").tobytes()
    turn = veem.metal.kernel(source, constants={0: 1, "doubled": True})
    x = on_metal(range(8))
    turn(8, 8, x, shape, threadgroup=[32])
    assert x.tolist() == [8 - i for i in range(8)]


def test_a_written_tensor_counts_a_version():
    x, y = on_metal(range(4)), on_metal(range(4))
    versions = x._version, y._version
    veem.metal.kernel(SAXPY)(4, 4, x, y, 1.0)
    assert (x._version, y._version) == (versions[0], versions[1] + 1)


@pytest.mark.parametrize(
    ("error", "said", "call"),
    [
        (TypeError, "takes 3 arguments", lambda k, x: k(4, 4, x, x)),
        (TypeError, "'y' .* takes a tensor", lambda k, x: k(4, 4, x, 1.0, 1.0)),
        (
            TypeError,
            "float in the kernel",
            lambda k, x: k(4, 4, x, on_metal(range(4), np.int32), 1.0),
        ),
        (ValueError, "is on cpu", lambda k, x: k(4, 4, x.cpu(), x, 1.0)),
        (
            ValueError,
            "is not contiguous",
            lambda k, x: k(4, 4, x.reshape(2, 2).t(), x, 1.0),
        ),
        (ValueError, "a size of grid or group is 0", lambda k, x: k(0, 4, x, x, 1.0)),
        (ValueError, "one to three sizes", lambda k, x: k((1, 1, 1, 1), 4, x, x, 1.0)),
        (TypeError, "threadgroup", lambda k, x: k(4, 4, x, x, 1.0, threadgroup=[16])),
    ],
)
def test_wrong_arguments(error, said, call):
    with pytest.raises(error, match=said):
        call(veem.metal.kernel(SAXPY), on_metal(range(4)))


def test_wrong_sources():
    with pytest.raises(RuntimeError, match="use of undeclared identifier 'nothing'"):
        veem.metal.kernel(SAXPY.replace("a * x[i]", "nothing"))
    with pytest.raises(RuntimeError, match=r"saxpy.*saxpy|saxpy"):
        veem.metal.kernel(SAXPY, "absent")
    with pytest.raises(ValueError, match="which"):
        veem.metal.kernel(HEADER)


def test_names_and_parameters():
    assert veem.metal.kernel_names(SAXPY) == ["saxpy"]
    saxpy = veem.metal.kernel(SAXPY)
    assert repr(saxpy) == "<metal kernel saxpy(float x, float y, float a)>"
    assert [p["writable"] for p in saxpy.parameters] == [False, True, False]
    assert saxpy.max_group >= 256


# ---- the command line ----------------------------------------------------------------


def command(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "veem", "metal", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.fixture
def saxpy_file(tmp_path):
    path = tmp_path / "saxpy.metal"
    path.write_text(SAXPY)
    return str(path)


def test_check_lists_what_a_kernel_takes(saxpy_file):
    done = command("check", saxpy_file)
    assert done.returncode == 0, done.stderr
    assert "[[buffer(1)]] float   y" in done.stdout
    if veem.metal.is_simulated():
        assert "simulated" in done.stdout


def test_check_says_what_does_not_compile(saxpy_file, tmp_path):
    broken = tmp_path / "broken.metal"
    broken.write_text(SAXPY.replace("a * x[i]", "nothing"))
    done = command("check", str(broken))
    assert done.returncode == 1
    assert "broken.metal:8" in done.stderr and "'nothing'" in done.stderr


def test_run_prints_what_was_written(saxpy_file, tmp_path):
    np.save(tmp_path / "x.npy", np.arange(5, dtype=np.float32))
    done = command(
        *("run", saxpy_file, "--grid", "5", "--group", "4", "--print"),
        *("--buffer", str(tmp_path / "x.npy"), "--buffer", "float32:5:ones"),
        *("--buffer", "2.0"),
    )
    assert done.returncode == 0, done.stderr
    assert "[1. 3. 5. 7. 9.]" in done.stdout


@pytest.mark.skipif(not veem.metal.is_simulated(), reason="a GPU checks nothing")
def test_run_reports_with_file_and_line(saxpy_file):
    buffers = "--buffer", "float32:5:random", "--buffer", "float32:5", "--buffer", "2"
    done = command("run", saxpy_file, "--grid", "6", *buffers)
    assert done.returncode == 1
    assert "saxpy.metal:8: out of bounds" in done.stderr
