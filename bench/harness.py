"""Fair timings of veem beside its peers.

Every contender (a library on a device) runs in a process of its own with the same
number of threads. The parent tells them in turn to take one sample, so that all see the
same machine. A sample counts when its threads hardly waited for a CPU and a fixed loop
beside it ran at its usual speed; the figure reported is the median of those that count.
Before any of that each result is compared with float64 NumPy, on ordinary numbers and
on NaN, inf and subnormals.

A bench is a list of cases and `main(__doc__, cases)`; this file runs it once as the
parent and once per contender, as `SCRIPT --worker NAME`.
"""

import argparse
import contextlib
import importlib.util
import itertools
import json
import multiprocessing
import os
import platform
import re
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from case import Case, Wrong
from limits import SIMULATED, least_time, measure_apart
from worker import work


class Contender:
    """A worker process, and the samples, clean and unclean, that it took of a case."""

    patience = 120.0  # seconds until an answer must have come

    def __init__(self, script: str, name: str, threads: int):
        self.name, self.device = name, name.partition(":")[2] or "cpu"
        self.fastest_loop = float("inf")
        self.pipe, theirs = multiprocessing.Pipe()
        names = ["VEEM", "OMP", "MKL", "OPENBLAS", "VECLIB_MAXIMUM"]
        env = {f"{n}_NUM_THREADS": str(threads) for n in names}
        args = ["--worker", name, str(theirs.fileno()), str(threads)]
        self.process = subprocess.Popen(
            [sys.executable, script, *args],
            env={**os.environ, **env},
            pass_fds=[theirs.fileno()],
        )
        theirs.close()

    def ask(self, *message) -> tuple[bool, Any]:
        try:
            self.pipe.send(message)
            if self.pipe.poll(self.patience):
                return self.pipe.recv()
            self.stop()
            return False, f"no answer in {self.patience:.0f} seconds"
        except (EOFError, OSError):
            return False, "its process ended"

    def stop(self) -> None:
        self.pipe.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(1)
        self.process.kill()
        self.process.wait()

    def verify(self, case: Case, index: int) -> str | None:
        """Compares the case's results with the reference's: what is wrong, or None."""
        self.clean, self.unclean, self.peak = [], [], None
        for special in [True, False] if case.special else [False]:
            ok, results = self.ask("prepare", index, special)
            if not ok:
                return results
            try:
                case.check(case.arrays(special), results)
            except Wrong as error:
                return f"wrong{' at special values' * special}: {error}"
        self.moved = [
            sum(a.nbytes for a in arrays) for arrays in (case.arrays(), results)
        ]
        return None

    def sample(self, index: int, seconds: float, keep: bool = True) -> str | None:
        ok, answer = self.ask("sample", index, seconds)
        if not ok:
            return answer
        spent, on_gpu, waited, loop, self.peak = answer
        self.fastest_loop = min(self.fastest_loop, loop)
        if keep:
            quiet = waited < 0.05 and loop < self.fastest_loop / 0.75
            times = spent, on_gpu
            (self.clean if quiet else self.unclean).append((waited, times))
        return None

    def chosen(self, wanted: int) -> list[tuple]:
        """The clean samples, each its seconds and those on the GPU; on a machine that
        is never quiet, the least delayed.
        """
        if len(self.clean) >= wanted:
            return [times for _, times in self.clean]
        everything = sorted(self.clean + self.unclean, key=lambda s: s[0])
        return [times for _, times in everything[: max(wanted, len(everything) // 3)]]


def measure(
    case: Case, index: int, contenders: list[Contender], effort: "Effort"
) -> list:
    """The records of one case: one per contender, timed in turns."""
    records = {}
    for c in contenders:
        record = {
            "op": case.op,
            "size": case.size,
            "contender": c.name,
            "device": c.device,
        }
        if case.maker(c.name):
            records[c] = record | {"problem": c.verify(case, index)}
    racing = [c for c, r in records.items() if not r["problem"]]
    for c in racing:
        records[c]["problem"] = c.sample(index, effort.seconds, keep=False)
    deadline = time.monotonic() + effort.patience
    for turn in range(effort.samples * 3):  # bounded: the machine may never be quiet
        racing = [c for c in racing if not records[c]["problem"]]
        if time.monotonic() > deadline and turn >= 3:
            break
        hungry = [c for c in racing if len(c.clean) < effort.samples]
        for c in hungry if turn % 2 else reversed(hungry):
            records[c]["problem"] = c.sample(index, effort.seconds)
    for c in racing:
        enough = min(3, effort.samples)
        taken, on_gpu = zip(*c.chosen(enough))
        read, written = case.moved or c.moved
        records[c] |= {
            "seconds": statistics.median(taken) / case.calls,
            "spread": (max(taken) - min(taken)) / case.calls,
            "gpu_seconds": (
                None if None in on_gpu else statistics.median(on_gpu) / case.calls
            ),
            "samples": len(taken),
            "dropped": len(c.clean) + len(c.unclean) - len(taken),
            "noisy": len(c.clean) < enough,
            "flops": case.flops,
            "read": read,
            "written": written,
            "peak_memory": c.peak,
        }
    return list(records.values())


@dataclass
class Effort:
    samples: int = 15  # clean ones wanted of each contender
    seconds: float = 0.004  # a sample repeats the step for about this long
    patience: float = 20.0  # a case's samples take no longer than about this


def add_ratios(records: list, limits: dict) -> None:
    """Compares each time with the best of its case, and with what its device can do:
    there it is the time on the GPU that counts, where it is known.
    """
    best = min((r["seconds"] for r in records if "seconds" in r), default=None)
    for r in records:
        if "seconds" not in r:
            continue
        r["ratio"] = r["seconds"] / best
        work = r["flops"], r["read"], r["written"]
        if r["device"] in limits and any(work):
            busy = r["gpu_seconds"] or r["seconds"]
            r["of_limit"] = least_time(limits[r["device"]], *work) / busy


def peers_present(names: list[str]) -> list[str]:
    """A library on a GPU ("torch:mps") can only be there on a Mac with one."""
    gpu = (sys.platform, platform.machine()) == ("darwin", "arm64")
    names = [n for n in names if gpu or ":" not in n]
    return [n for n in names if importlib.util.find_spec(re.split("[-:]", n)[0])]


def veem_devices() -> tuple[list[str], list[str]]:
    """Real devices, and simulated ones, which show nothing about speed."""
    if not importlib.util.find_spec("veem"):
        return [], []
    code = (
        "import sys; sys.path.append(sys.argv[1]); import limits, veem; "
        "print(*veem._core.devices(), '|', *limits.simulated())"
    )
    command = [sys.executable, "-c", code, str(Path(__file__).parent)]
    run = subprocess.run(command, capture_output=True, text=True)
    devices, _, simulated = (part.split() for part in run.stdout.partition("|"))
    return [d for d in devices if d not in simulated], simulated


def parse(doc: str, cases: list[Case], argv: list[str] | None) -> argparse.Namespace:
    peers = [
        "numpy",
        "torch",
        "torch:mps",
        *dict.fromkeys(n for c in cases for n in c.variants),
    ]
    words = lambda text: [w.strip() for w in text.split(",") if w.strip()]
    plain = argparse.RawDescriptionHelpFormatter
    p = argparse.ArgumentParser(description=doc, formatter_class=plain)
    p.add_argument("--ops", type=words, help="only these, e.g. matmul,exp")
    p.add_argument("--sizes", type=words, help="only these, as the table names them")
    p.add_argument(
        "--backends", type=words, help="veem's devices (default: all that are here)"
    )
    p.add_argument("--against", type=words, help=f"of {','.join(peers)} (default: all)")
    p.add_argument("--threads", type=words, default=["1"], help="e.g. 1,2 (default: 1)")
    p.add_argument(
        "--samples", type=int, default=15, help="clean samples wanted (default: 15)"
    )
    p.add_argument("--quick", action="store_true", help="few and short samples")
    p.add_argument("--json", metavar="FILE", help="write the records there")
    p.add_argument("--png", metavar="FILE", help="draw them there")
    p.add_argument(
        "--list", action="store_true", help="print the ops and sizes and stop"
    )
    args = p.parse_args(argv)
    devices, simulated = veem_devices()
    if args.backends is None:
        args.backends = devices
        if not devices:
            print("veem is not installed here: only its peers run (pip install .)")
    for d in args.backends:
        if d in simulated:
            p.error(SIMULATED.format(d))
        if d in ("metal", "cuda") and d not in devices and len(args.backends) > 1:
            print(f"{d} is not here: left out")  # one command fits all machines
        elif d not in devices:
            p.error(
                f"no device {d!r} to time: veem has {', '.join(devices) or 'none'} here"
            )
    args.backends = [d for d in args.backends if d in devices]
    for kind, known in (
        ("ops", {c.op for c in cases}),
        ("sizes", {c.size for c in cases}),
    ):
        for word in getattr(args, kind) or []:
            if word not in known:
                p.error(f"--{kind}: no {word!r}; --list prints what there is")
    for name in args.against or []:
        if name not in peers or not peers_present([name]):
            p.error(
                f"--against: {name!r} is not installed or not among {', '.join(peers)}"
            )
    args.against = peers_present(peers) if args.against is None else args.against
    return args


def run(script: str, cases: list[Case], args: argparse.Namespace) -> dict:
    """Runs the cases that args choose and returns everything that is to be reported."""
    names = [
        "veem" if d == "cpu" else f"veem:{d}" for d in args.backends
    ] + args.against
    effort = Effort(3, 0.001, 3.0) if args.quick else Effort(args.samples)
    report: dict = {
        "bench": Path(script).stem,
        "machine": describe_machine(),
        "runs": [],
    }
    for threads in map(int, args.threads):
        limits = {d: measure_apart(threads, d) for d in args.backends}
        contenders = [Contender(script, n, threads) for n in names]
        results = []
        try:
            for index, case in enumerate(cases):
                if case.op in (args.ops or [case.op]) and case.size in (
                    args.sizes or [case.size]
                ):
                    records = measure(case, index, contenders, effort)
                    add_ratios(records, limits)
                    results += records
        finally:
            for c in contenders:
                c.stop()
        report["runs"].append(
            {"threads": threads, "limits": limits, "results": results}
        )
    return report


def describe_machine() -> dict:
    versions = {"python": platform.python_version()}
    for name in ("veem", "numpy", "torch"):
        with contextlib.suppress(PackageNotFoundError):
            versions[name] = version(name)
    model = platform.processor() or platform.machine()
    with contextlib.suppress(OSError):
        found = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
        model = found[1] if found else model
    return {"cpu": model, "cores": os.cpu_count(), "versions": versions}


def main(doc: str, cases: list[Case], argv: list[str] | None = None) -> None:
    script = sys.argv[0]
    if sys.argv[1:2] == ["--worker"]:
        name, pipe, threads = sys.argv[2:]
        return work(cases, name, Connection(int(pipe)), int(threads))
    args = parse(doc, cases, argv)
    if args.list:
        for op, group in itertools.groupby(cases, lambda c: c.op):
            print(op, *(c.size for c in group))
        return
    import report  # needs rich

    results = run(script, cases, args)
    report.print_tables(results)
    if args.json:
        Path(args.json).write_text(json.dumps(results, indent=1) + "\n")
    if args.png:
        report.draw(results, args.png)
    if any(r.get("problem") for one in results["runs"] for r in one["results"]):
        sys.exit(1)
