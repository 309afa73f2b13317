"""python -m veem doctor: what veem runs on here, and what to do if that is wrong."""

import importlib.metadata
import math
import os
import pathlib
import platform
import sys

import numpy as np

from veem import _core, metal

REINSTALL = "install veem again: pip install ."


def main():
    """Prints the report; returns 1 where something is wrong, else 0."""
    for title, rows in report().items():
        print(title)
        for name, value in rows.items():
            print(f"  {name:<18}{value}")
        print()
    found = problems()
    for problem, advice in found:
        print(f"! {problem}\n    {advice}")
    if not found:
        print("Nothing is wrong.")
    return 1 if found else 0


def report():
    """{section: {name: value}}."""
    build = _core.build_info()
    flags = build["flags"] + (f" -fsanitize={s}" if (s := build["sanitize"]) else "")
    return {
        f"veem {_core.__version__}": {
            "imported from": pathlib.Path(__file__).parent,
            "Python": f"{platform.python_version()} at {sys.executable}",
            "NumPy": np.__version__,
            "built by": f"{build['compiler']}, {build['build_type']}, {flags}",
        },
        "This machine": {
            "system": f"{platform.system()} {platform.release()} {platform.machine()}",
            "processor": _processor(),
            "instruction sets": _instruction_sets(build["isas"]),
            "threads": f"{_core.num_threads()} in use, {_cores():g} processors",
            "memory": _memory(),
        },
        "Devices": {"cpu": "ready", **_metal(), **_absent()},
    }


def problems():
    """(what is wrong, what to do) for everything found."""
    return [
        found
        for check in (
            _check_isa,
            _check_threads,
            _check_build,
            _check_version,
            _check_numbers,
        )
        if (found := check())
    ]


# ---- what there is ------------------------------------------------------------------


def _processor():
    try:
        with open("/proc/cpuinfo") as f:
            names = [line.split(":")[1].strip() for line in f if "model name" in line]
        return names[0]
    except (OSError, IndexError):
        return platform.processor() or "unknown"


def _instruction_sets(built):
    used, runnable = _core.cpu_isa(), " ".join(_core.cpu_isas())
    return f"{used} in use; this processor runs {runnable}, built for {' '.join(built)}"


def _cores():
    """The processors that this process may use, and can by its container's limit."""
    if hasattr(os, "sched_getaffinity"):
        count = len(os.sched_getaffinity(0))
    else:
        count = os.cpu_count() or 1
    try:
        quota, period = pathlib.Path("/sys/fs/cgroup/cpu.max").read_text().split()
        return min(count, int(quota) / int(period))
    except (OSError, ValueError):  # no container, or no limit
        return count


def _memory():
    page = os.sysconf("SC_PAGE_SIZE") / 1e9
    total = f"{os.sysconf('SC_PHYS_PAGES') * page:.1f} GB"
    try:
        lines = pathlib.Path("/proc/meminfo").read_text().splitlines()
        free = next(line for line in lines if line.startswith("MemAvailable"))
        return f"{total}, {int(free.split()[1]) * 1024 / 1e9:.1f} GB free"
    except (OSError, StopIteration):
        return total


def _metal():
    if not metal.is_available():
        return {}
    if metal.is_simulated():
        return {"metal": "simulated: kernels run on the processor, checked and slow"}
    return {"metal": f"ready: {metal.device_name()}"}


def _absent():
    """Why the devices that are not here are not."""
    built = hasattr(_core, "metal")
    every = {"metal": "no GPU that Metal knows" if built else metal.MISSING,
             "cuda": "this version of veem has no CUDA backend"}  # fmt: skip
    return {name: why for name, why in every.items() if name not in _core.devices()}


# ---- what can be wrong ---------------------------------------------------------------


def _check_isa():
    used, best = _core.cpu_isa(), _core.cpu_isas()[-1]
    if used != best:
        return (
            f"VEEM_ISA={used} asks for less than this processor's {best}: slow",
            "unset VEEM_ISA",
        )


def _check_threads():
    wanted = os.environ.get("VEEM_NUM_THREADS")
    if wanted and not wanted.isdecimal():
        return (
            f"VEEM_NUM_THREADS={wanted} is no number",
            "unset it, or give it a number",
        )
    threads, cores = _core.num_threads(), _cores()
    if threads > math.ceil(cores):
        return (
            f"{threads} threads share {cores:g} processors: they wait for each other",
            f"set VEEM_NUM_THREADS={math.ceil(cores)}",
        )


def _check_build():
    build = _core.build_info()
    if build["sanitize"]:
        return f"built with sanitizers ({build['sanitize']}): slow", REINSTALL
    if build["build_type"] != "Release":
        return f"a {build['build_type']} build: slow", REINSTALL


def _check_version():
    try:
        installed = importlib.metadata.version("veem")
    except importlib.metadata.PackageNotFoundError:
        return None  # run from its folder
    if installed != _core.__version__:
        return (
            f"version {installed} is installed, but the core says {_core.__version__}",
            REINSTALL,
        )


def _check_numbers():
    """A few kernels on the instruction set in use, against NumPy's."""
    x = np.linspace(-3, 3, 6000, dtype=np.float32).reshape(60, 100)
    ours = _core.from_numpy(x)
    results = {
        "exp": (_core.ops.exp(ours), np.exp(x)),
        "matmul": (_core.ops.matmul(ours, _core.ops.transpose(ours, 0, 1)), x @ x.T),
    }
    for name, (got, expected) in results.items():
        if not np.allclose(_core.to_numpy(got), expected, rtol=1e-4, atol=1e-4):
            return f"{name} is wrong here", "try VEEM_ISA=v2, and please report it"
