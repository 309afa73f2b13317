"""What this machine can do: multiply-adds a second, and bytes a second by footprint.

The other benches compare themselves with these figures. They are measured by loops in
the core (probe.cpp of each backend), with as many threads as asked for; the best of a
few tries counts.
"""

import argparse
import json
import os
import subprocess
import sys

# Bytes touched by all threads together: inside L1, L2 and L3, and past them.
FOOTPRINTS = [2**14, 2**17, 2**19, 2**22, 2**24, 2**26, 2**28]
SIMULATED = "{} is simulated here: its times say nothing about a GPU, so none are taken"
TRY = 0.0005  # seconds that one try takes at least: short, to fit between other work


def simulated() -> list[str]:
    """veem's devices that are software."""
    import veem

    return ["metal"] * veem.metal.is_simulated()


def rate(what: str, footprint: int = 0, tries: int = 40, device: str = "cpu") -> float:
    """Operations or bytes a second: the best of a few tries."""
    from veem import _core

    rounds, best = 1, 0.0
    while tries:
        before = gpu_seconds(device)
        amount, spent = _core.probe(what, footprint, rounds, device)
        if before is not None:  # without the time to launch it
            spent = gpu_seconds(device) - before
        if spent < TRY:
            rounds *= 2
            continue
        best = max(best, amount / spent)
        tries -= 1
    return best


def gpu_seconds(device: str) -> float | None:
    """That veem's finished work took on the GPU so far, where the device tells."""
    from veem import _core

    return _core.metal.gpu_seconds() if device == "metal" else None


def measure(device: str = "cpu") -> dict:
    """A GPU has no float64 here, and no stores past the caches ("stream")."""
    on_cpu = device == "cpu"
    dtypes = ("float32", "float64") if on_cpu else ("float32",)
    limits: dict = {dtype: rate(dtype, device=device) for dtype in dtypes}
    for what in ("read", "copy", "stream") if on_cpu else ("read", "copy"):
        limits[what] = {str(n): rate(what, n, device=device) for n in FOOTPRINTS}
    return limits


def measure_apart(threads: int, device: str = "cpu") -> dict:
    """The limits, measured in a process of its own with that many threads."""
    env = {**os.environ, "VEEM_NUM_THREADS": str(threads)}
    command = [sys.executable, __file__, "--raw", "--device", device]
    return json.loads(
        subprocess.run(command, env=env, check=True, capture_output=True).stdout
    )


def least_time(limits: dict, flops: float, read: float, written: float) -> float:
    """Seconds that so many float32 operations and bytes take at the least."""
    footprint = str(
        next((s for s in FOOTPRINTS if s >= read + written), FOOTPRINTS[-1])
    )
    copies = [limits[what] for what in ("copy", "stream") if what in limits]
    copying = max(copy[footprint] for copy in copies)
    paired, rest = 2 * min(read, written), abs(read - written)
    moving = paired / copying + rest / max(copying, limits["read"][footprint])
    return max(flops / limits["float32"], moving)


def calls() -> dict:
    """Nanoseconds that a call from Python costs, by kind."""
    import timeit

    import veem

    x = veem.ones(2, 2)

    def nanoseconds(code: str) -> float:
        names = {"x": x, "abs": abs, "add": veem._core.ops.add}
        return (
            min(timeit.repeat(code, globals=names, number=20000, repeat=15))
            / 20000
            * 1e9
        )

    kinds = {
        "a C function, abs(1)": "abs(1)",
        "add(x, x) on 2x2": "add(x, x)",
        "x + x": "x + x",
    }
    return {name: nanoseconds(code) for name, code in kinds.items()}


def print_limits(found: dict) -> None:
    import rich.box
    from report import Console, Table

    columns = [f"{n} thread{'s' * (n > 1)}" for n in found["threads"]]
    table = Table("limit", "footprint", *columns, box=rich.box.SIMPLE_HEAD)
    limits = list(found["threads"].values())
    for dtype in [d for d in ("float32", "float64") if d in limits[0]]:
        cells = [f"{one[dtype] / 1e9:.0f} Gflop/s" for one in limits]
        table.add_row(f"{dtype} multiply-add", "", *cells)
    for what in [w for w in ("read", "copy", "stream") if w in limits[0]]:
        for size in FOOTPRINTS:
            cells = [f"{one[what][str(size)] / 1e9:.0f} GB/s" for one in limits]
            text = f"{size >> 20} MiB" if size >= 2**20 else f"{size >> 10} KiB"
            table.add_row(what, text, *cells)
    for name, nanoseconds in found["calls"].items():
        table.add_row("call", name, f"{nanoseconds:.0f} ns")
    Console().print(table)


def main() -> None:
    plain = argparse.RawDescriptionHelpFormatter
    p = argparse.ArgumentParser(description=__doc__, formatter_class=plain)
    p.add_argument("--threads", type=int, nargs="+", default=[1, os.cpu_count()])
    p.add_argument("--device", default="cpu", help="one of veem's (default: cpu)")
    p.add_argument("--json", metavar="FILE", help="write the figures there")
    p.add_argument("--raw", action="store_true", help="print one measurement as JSON")
    args = p.parse_args()
    if args.device in simulated():
        p.error(SIMULATED.format(args.device))
    if args.raw:
        return print(json.dumps(measure(args.device)))
    counts = dict.fromkeys(args.threads)
    found = {
        "threads": {n: measure_apart(n, args.device) for n in counts},
        "calls": calls(),
    }
    print_limits(found)
    if args.json:
        with open(args.json, "w") as file:
            json.dump(found, file, indent=1)


if __name__ == "__main__":
    main()
