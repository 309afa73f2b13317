"""The worker: one contender in its own process, asked by the parent through a pipe."""

import contextlib
import functools
import importlib
import itertools
import os
import re
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
from case import Case, as_list


def load_library(contender: str, threads: int):
    """The module, functions from and to NumPy arrays, one that waits for the device,
    and one that gives the seconds of its finished work, where the library tells.
    """
    library, _, device = contender.partition(":")
    library, device = library.partition("-")[0], device or "cpu"
    unknown = lambda: None
    if library == "numpy":
        return np, np.asarray, np.asarray, lambda: None, unknown
    if library == "mlx":
        mx = importlib.import_module("mlx.core")
        return mx, mx.array, np.array, mx.synchronize, unknown
    T = importlib.import_module(library)
    T.set_num_threads(threads)
    wait = (lambda: None) if device == "cpu" else getattr(T, device).synchronize
    give = lambda a: T.from_numpy(a.copy()).to(device)
    take = lambda t: t.detach().cpu().numpy()
    tells = (library, device) == ("veem", "metal")
    return T, give, take, wait, T._core.metal.gpu_seconds if tells else unknown


def work(cases: list[Case], contender: str, pipe: Connection, threads: int) -> None:
    # At the first case, so that a library that fails to load is reported.
    load = functools.cache(load_library)
    steps: dict[int, Callable] = {}

    def prepare(index: int, special: bool):
        T, give, take, *_ = load(contender, threads)
        steps.clear()
        reset_peak_memory()
        case = cases[index]
        tensors = [give(a) for a in case.arrays(special)]
        with np.errstate(all="ignore"):
            step = case.maker(contender)(T, *tensors)
            results = [take(r) for r in as_list(step())]
        steps[index] = step
        return results

    def sample(index: int, seconds: float):
        *_, wait, clock = load(contender, threads)
        return *take_sample(steps[index], seconds, wait, clock), peak_memory()

    jobs = {"prepare": prepare, "sample": sample}
    while True:
        try:
            job, *details = pipe.recv()
        except EOFError:
            return
        try:
            pipe.send((True, jobs[job](*details)))
        except Exception as error:
            pipe.send((False, f"{type(error).__name__}: {error}"))


def take_sample(step: Callable, seconds: float, wait: Callable, clock: Callable):
    """Seconds a step, of them on the GPU, the part spent waiting for a CPU, seconds of
    a fixed loop.
    """
    start = time.perf_counter()
    step()
    wait()
    once = time.perf_counter() - start
    if once < 0.01:  # the first after another process's turn only warms the caches
        for _ in range(3):
            start = time.perf_counter()
            step()
            wait()
            once = min(once, time.perf_counter() - start)
    number = max(1, int(seconds / once))
    beside = calibrate()
    on_gpu = clock()
    waited, start = waited_for_cpu(), time.perf_counter()
    for _ in itertools.repeat(None, number):
        step()
    wait()
    spent = time.perf_counter() - start
    waited = waited_for_cpu() - waited
    on_gpu = None if on_gpu is None else (clock() - on_gpu) / number
    beside = max(beside, calibrate())
    settle()
    return spent / number, on_gpu, max(waited, 0.0) / spent, beside


def calibrate() -> float:
    def once():
        start = time.perf_counter()
        sum(range(5000))
        return time.perf_counter() - start

    return min(once(), once(), once())


def waited_for_cpu() -> float:
    """Seconds that threads of this process were ready to run but did not (Linux);
    elsewhere the time in which this thread did not run.
    """
    try:
        total = 0
        for task in os.listdir("/proc/self/task"):
            with contextlib.suppress(FileNotFoundError):  # a thread that has just ended
                stat = Path(f"/proc/self/task/{task}/schedstat").read_text()
                total += int(stat.split()[1])
        return total * 1e-9
    except OSError:
        return time.perf_counter() - time.thread_time()


def settle() -> None:
    """Waits until helper threads sleep: they must not spin into the next one's turn."""
    for _ in range(100):
        before = time.process_time()
        time.sleep(0.001)
        if time.process_time() - before < 3e-4:
            return


def reset_peak_memory() -> None:
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def peak_memory() -> int | None:
    """Bytes held at most since the case began (Linux only)."""
    with contextlib.suppress(OSError):
        found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
        return int(found[1]) * 1024 if found else None
    return None
