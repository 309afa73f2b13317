"""Programs with DataLoader's workers that end, in whatever way: nothing is left."""

import contextlib
import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest

import veem


def segments():
    folder = pathlib.Path("/dev/shm")
    return set(folder.iterdir()) if folder.is_dir() else set()


PROGRAM = """
import os, signal, sys, time
import veem
from veem.utils import data as D

class Slow(D.Dataset):
    def __getitem__(self, i):
        if i > 3:
            time.sleep({seconds})
        return veem.ones(1000), os.getpid()

    def __len__(self):
        return 100

if __name__ == "__main__":
    loads = D.DataLoader(Slow(), 1, num_workers=2, multiprocessing_context={context!r})
    for i, (x, pid) in enumerate(loads):
        print(pid.item(), flush=True)
        if i == 3:
            {act}
"""


def alive(pid):
    with contextlib.suppress(OSError):
        return pathlib.Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    return False


def heed_ctrl_c():
    """A program that was started in the background inherits that it is ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def run_program(tmp_path, act, context="fork", seconds=0.02):
    """Starts the program, reads the pids of its workers; returns both."""
    (tmp_path / "program.py").write_text(
        PROGRAM.format(act=act, context=context, seconds=seconds)
    )
    source = str(pathlib.Path(veem.__file__).parents[1])
    environment = {**os.environ, "PYTHONPATH": source, "PYTHONWARNINGS": "ignore"}
    program = subprocess.Popen(
        [sys.executable, "program.py"],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=heed_ctrl_c,
    )
    return program, {int(program.stdout.readline()) for _ in range(4)}


def ended(pids):
    end = time.monotonic() + 15
    while any(alive(pid) for pid in pids) and time.monotonic() < end:
        time.sleep(0.02)
    return not any(alive(pid) for pid in pids)


@pytest.mark.skipif(not os.path.isdir("/proc"), reason="asks /proc who is alive")
@pytest.mark.parametrize(
    "context, seconds", [("fork", 0.2), ("spawn", 0.2), ("fork", 60)]
)
def test_ctrl_c_leaves_no_process(tmp_path, context, seconds):
    program, pids = run_program(tmp_path, "pass", context, seconds)
    os.killpg(program.pid, signal.SIGINT)  # as a terminal does: to all of them
    error = program.communicate(timeout=20)[1]
    assert program.returncode in (-signal.SIGINT, 130)
    assert error.count("Traceback") == 1 and "KeyboardInterrupt" in error
    assert len(pids) == 2 and ended(pids)


@pytest.mark.skipif(not os.path.isdir("/proc"), reason="asks /proc who is alive")
@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGTERM])
@pytest.mark.parametrize("seconds", [0.02, 60])  # idle workers; workers that are busy
def test_workers_end_with_a_killed_program(tmp_path, sent, seconds):
    before = segments()
    program, pids = run_program(tmp_path, "pass", seconds=seconds)
    program.send_signal(sent)
    program.communicate(timeout=20)
    assert len(pids) == 2 and ended(pids) and segments() == before


@pytest.mark.parametrize("act", ["break", "sys.exit(0)", "keep = iter(loads); break"])
def test_a_program_that_just_ends(tmp_path, act):
    program, pids = run_program(tmp_path, act)
    _, error = program.communicate(timeout=20)
    assert program.returncode == 0 and error == ""
    assert ended(pids)
