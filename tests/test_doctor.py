"""The command line: python -m veem."""

import os
import subprocess
import sys

import pytest

import veem
from veem import doctor


def run(*arguments, **env):
    command = [sys.executable, "-m", "veem", *arguments]
    return subprocess.run(
        command, env={**os.environ, **env}, capture_output=True, text=True, timeout=60
    )


def test_report_names_what_is_in_use():
    done = run("doctor")
    for fact in (
        veem.__version__,
        "instruction sets",
        veem._core.cpu_isa(),
        "NumPy",
        "cpu",
    ):
        assert fact in done.stdout
    assert done.returncode == (0 if "Nothing is wrong." in done.stdout else 1), (
        done.stderr
    )


@pytest.mark.skipif(len(veem._core.cpu_isas()) < 2, reason="one instruction set")
def test_a_slow_instruction_set_is_reported():
    done = run("doctor", VEEM_ISA=veem._core.cpu_isas()[0])
    assert done.returncode == 1
    assert "unset VEEM_ISA" in done.stdout


def test_too_many_threads_are_reported():
    done = run("doctor", VEEM_NUM_THREADS="4096")
    assert done.returncode == 1
    assert "set VEEM_NUM_THREADS=" in done.stdout


def test_wrong_numbers_are_reported(monkeypatch):
    monkeypatch.setattr(doctor.np, "exp", lambda x: x)
    assert doctor._check_numbers()[0] == "exp is wrong here"


def test_version_and_help():
    assert run("--version").stdout.strip() == veem.__version__
    assert "doctor" in run("--help").stdout
    assert run("nothing").returncode == 2
