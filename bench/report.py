"""Tables and pictures of the records that the harness makes."""

import sys

try:
    import rich.box
    from rich.console import Console
    from rich.table import Table
except ImportError:
    sys.exit(
        "The benchmarks print with rich, which is not installed: pip install .[bench]"
    )


def by_case(results: list) -> dict:
    """The records of each (op, size), by contender."""
    cases: dict = {}
    for record in results:
        cases.setdefault((record["op"], record["size"]), {})[record["contender"]] = (
            record
        )
    return cases


def duration(seconds: float) -> str:
    for unit, scale in (("ns", 1e9), ("µs", 1e6), ("ms", 1e3)):
        if seconds * scale < 999.5:
            return f"{seconds * scale:.3g} {unit}"
    return f"{seconds:.3g} s"


def cell(record: dict | None) -> str:
    """A time, its ratio to the best of the row, the part of the limit it reaches."""
    if record is None:
        return "-"
    if record["problem"]:
        return (
            "[red]wrong[/]"
            if record["problem"].startswith("wrong")
            else "[dim]failed[/]"
        )
    text = duration(record["seconds"]) + "~" * record["noisy"]
    text = f"{text} {record['ratio']:5.2f}"
    if "of_limit" in record:
        text += f" {record['of_limit']:4.0%}"
    return f"[bold green]{text}[/]" if record["ratio"] == 1 else text


def print_tables(report: dict) -> None:
    console = Console()
    if not console.is_terminal:
        console = Console(width=120)
    machine = report["machine"]
    versions = ", ".join(f"{k} {v}" for k, v in machine["versions"].items())
    console.print(f"{machine['cpu']}, {machine['cores']} cores; {versions}")
    for run in report["runs"]:
        print_table(console, report["bench"], run)


def print_table(console: "Console", bench: str, run: dict) -> None:
    results = run["results"]
    contenders = list(dict.fromkeys(r["contender"] for r in results))
    title = f"{bench}, {run['threads']} thread{'s' * (run['threads'] > 1)}"
    caption = "median time, ratio to the best"
    if run["limits"]:
        caption += ", part of the machine's limit"
    dropped = sum(r.get("dropped", 0) for r in results)
    caption += (
        f"; {sum(r.get('samples', 0) for r in results)} samples, {dropped} dropped"
    )
    if any(r.get("noisy") for r in results):
        caption += "; ~ the machine was never quiet"
    table = Table(title=title, caption=caption, box=rich.box.SIMPLE_HEAD)
    for name in ("op", "size"):
        table.add_column(name)
    for name in contenders:
        table.add_column(name, justify="right")
    for (op, size), records in by_case(results).items():
        table.add_row(op, size, *(cell(records.get(c)) for c in contenders))
    console.print(table)
    if any(r.get("gpu_seconds") for r in results):
        console.print(gpu_table(results))
    for r in results:
        if r["problem"]:
            console.print(
                f"{r['op']} {r['size']}, {r['contender']}: {r['problem']}", style="red"
            )


def gpu_table(results: list) -> "Table":
    """What the GPU itself did, launches and waiting apart."""
    caption = "bytes, operations and the part of the limit are those of the GPU time"
    table = Table(title="on the GPU", caption=caption, box=rich.box.SIMPLE_HEAD)
    for name in ("op", "size", "contender"):
        table.add_column(name)
    for name in ("GPU time", "wall time", "GB/s", "Gflop/s", "of limit"):
        table.add_column(name, justify="right")
    for r in results:
        busy = r.get("gpu_seconds")
        if not busy:
            continue
        amounts = r["read"] + r["written"], r["flops"]
        rates = (f"{n / busy / 1e9:.1f}" if n else "-" for n in amounts)
        part = f"{r['of_limit']:.0%}" if "of_limit" in r else "-"
        times = duration(busy), duration(r["seconds"])
        table.add_row(r["op"], r["size"], r["contender"], *times, *rates, part)
    return table


def draw(report: dict, path: str) -> None:
    """One line a case, one dot a contender: its time as a multiple of the best."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        sys.exit("--png needs matplotlib, which is not installed: pip install .[bench]")
    runs = report["runs"]
    most = max(len(by_case(run["results"])) for run in runs)
    figure = Figure(figsize=(7 * len(runs), 1.5 + 0.25 * most), layout="constrained")
    for axes, run in zip(figure.subplots(1, len(runs), squeeze=False)[0], runs):
        cases = by_case(run["results"])
        labels = [f"{op} {size}" for op, size in cases]
        for name in dict.fromkeys(r["contender"] for r in run["results"]):
            dots = [
                (records[name]["ratio"], row)
                for row, records in enumerate(cases.values())
                if "ratio" in records.get(name, {})
            ]
            if dots:
                ratios, rows = zip(*dots)
                veem = name.startswith("veem")
                axes.plot(ratios, rows, "D" if veem else "o", label=name, alpha=0.8)
        axes.set_xscale("log")
        axes.set_yticks(range(len(labels)), labels)
        axes.invert_yaxis()
        axes.grid(alpha=0.3)
        axes.set_xlabel("times the best (left is better)")
        axes.set_title(f"{report['bench']}, {run['threads']} threads")
        axes.legend()
    figure.savefig(path, dpi=150)
