"""The benchmark machinery: what it reports, what it refuses, that it ends. No times
asserted.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import veem

pytest.importorskip(
    "rich", reason="the benchmarks print with rich: pip install .[bench]"
)

BENCH = Path(__file__).parent.parent / "bench"

# A bench of its own: one that is right, some that are not, one that never answers.
SCRIPT = """
import sys, time
sys.path.insert(0, {bench!r})
import numpy, worker
from case import Case
from harness import Contender, main

Contender.patience = 5.0

def right(np, x): return lambda: x + 1
def wrong(np, x): return lambda: x + 1.001
def nan_lost(np, x): return lambda: numpy.nan_to_num(x) + 1
def stuck(np, x): return lambda: time.sleep(60)
def raises(np, x): return lambda: x.nothing()
def noisy(np, x):
    worker.waited_for_cpu = time.perf_counter  # as if no thread ever got a CPU
    return right(np, x)

def case(name, maker):
    return Case(name, "3", lambda rng: [rng.standard_normal(3, "f")], numpy=maker,
                reference=right, special=(float("nan"),))

CASES = [case(m.__name__, m) for m in (right, wrong, nan_lost, raises, noisy, stuck)]

if __name__ == "__main__":
    main("A test.", CASES)
"""


def bench(script, *args):
    command = [sys.executable, str(script), *args]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=300, check=False
    )


@pytest.fixture
def records(tmp_path):
    """Runs ops of the script: the exit status, and the records by op."""
    path, out = tmp_path / "tiny.py", tmp_path / "out.json"
    path.write_text(SCRIPT.format(bench=str(BENCH)))

    def run(*ops):
        args = ["--backends", "", "--against", "numpy", "--quick", "--json", str(out)]
        done = bench(path, "--ops", ",".join(ops), *args)
        assert out.exists(), done.stdout + done.stderr
        results = json.loads(out.read_text())["runs"][0]["results"]
        return done.returncode, {r["op"]: r for r in results}

    return run


def test_a_right_result_is_timed(records):
    status, found = records("right")
    record = found["right"]
    assert status == 0 and record["problem"] is None
    assert record["seconds"] > 0 and record["ratio"] == 1 and record["device"] == "cpu"
    assert (record["read"], record["written"]) == (12, 12)


def test_a_wrong_result_is_refused(records):
    status, found = records("wrong", "nan_lost", "raises")
    assert status == 1
    assert found["wrong"]["problem"].startswith("wrong")
    lost = "wrong at special values: 1.0 instead of nan"
    assert found["nan_lost"]["problem"].startswith(lost)
    assert "nothing" in found["raises"]["problem"]
    assert not any("seconds" in r for r in found.values())


def test_noise_and_silence_come_to_an_end(records):
    status, found = records("noisy", "stuck")
    assert status == 1
    assert found["noisy"]["noisy"] and found["noisy"]["seconds"] > 0
    assert "no answer" in found["stuck"]["problem"]


@pytest.mark.parametrize(
    "name, args",
    [
        ("kernels", ["--sizes", "32,10^3,128x10,64x128"]),
        ("train", ["--ops", "MLP 784-128-10"]),
        ("overhead", ["--ops", "add,Adam step"]),
    ],
)
def test_each_bench_runs(tmp_path, name, args):
    out, png = tmp_path / "out.json", tmp_path / "out.png"
    done = bench(
        BENCH / f"{name}.py", "--quick", "--against", "numpy", *args, "--json", str(out)
    )
    assert out.exists(), done.stdout + done.stderr
    report = json.loads(out.read_text())
    results = [r for run in report["runs"] for r in run["results"]]
    problems = [r for r in results if r["problem"]]
    assert done.returncode == 0 and not problems, problems
    assert report["bench"] == name and report["machine"]["cores"] >= 1
    pytest.importorskip("matplotlib")
    load = f"json.load(open({str(out)!r}))"
    draw = f"import json, report; report.draw({load}, {str(png)!r})"
    subprocess.run([sys.executable, "-c", draw], check=True, cwd=BENCH)
    assert png.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    "args, said",
    [
        (["--ops", "matmull"], "no 'matmull'"),
        (["--backends", "abacus"], "no device 'abacus'"),
        (["--against", "fortran"], "'fortran' is not installed"),
    ],
)
def test_arguments_that_do_not_fit_are_explained(args, said):
    done = bench(BENCH / "kernels.py", *args)
    assert done.returncode == 2 and said in done.stderr


@pytest.mark.skipif(
    not veem.metal.is_simulated(), reason="veem was built without the Metal simulator"
)
def test_simulated_times_are_refused():
    said = "metal is simulated here: its times say nothing about a GPU"
    for command in (
        ["kernels.py", "--backends", "cpu,metal"],
        ["train.py", "--backends", "metal"],
        ["limits.py", "--device", "metal"],
    ):
        done = bench(BENCH / command[0], *command[1:])
        assert done.returncode == 2 and said in done.stderr
        assert not done.stdout


def test_time_on_the_gpu_is_reported_apart():
    """Of records as a GPU would give them."""
    times = {"seconds": 4e-6, "gpu_seconds": 2e-6, "ratio": 1.0, "noisy": False}
    work = {"read": 6000, "written": 2000, "flops": 8e6, "of_limit": 0.5}
    names = {"op": "add", "size": "10^3", "contender": "veem:metal", "problem": None}
    run = {"threads": 1, "limits": {}, "results": [names | times | work]}
    machine = {"cpu": "M", "cores": 8, "versions": {}}
    report = {"bench": "kernels", "machine": machine, "runs": [run]}
    code = f"import report; report.print_tables({report!r})"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=BENCH,
    )
    row = done.stdout.split("on the GPU")[1]
    assert "2 µs" in row and "4 µs" in row and "50%" in row
    assert row.split("4 µs")[1].split()[:2] == ["4.0", "4000.0"]  # GB/s, Gflop/s


def test_a_gpu_that_is_not_here_is_left_out():
    done = bench(BENCH / "kernels.py", "--backends", "cpu,cuda", "--list")
    assert done.returncode == 0 and "cuda is not here: left out" in done.stdout
    done = bench(BENCH / "kernels.py", "--backends", "cuda", "--list")
    assert done.returncode == 2 and "no device 'cuda'" in done.stderr


def test_accuracy_prints_a_table():
    done = bench(BENCH / "accuracy.py", "--every", "999983", "--against", "numpy")
    assert done.returncode == 0 and "erf" in done.stdout, done.stdout + done.stderr
