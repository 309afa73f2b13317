"""Writes docs/ops.md, the page of all ops, from the record in veem.optable.

    python tools/ops_page.py docs/ops.md

Run it (or `make ops`) after a change of ops; tests/test_ops_page.py compares.
"""

import functools
import inspect
import pathlib
import re
import sys
from collections import Counter
from itertools import groupby

from veem import optable

TOP = pathlib.Path(__file__).resolve().parent.parent
HEAD = """# Ops

Written by tools/ops_page.py: run `make ops`. `python -m veem ops` prints the same
record, with the devices of the build at hand.

**takes**: `any` dtype, `number` (no bool), `float`, `bits` (integers and bool) or
`integer`. Where an elementwise op takes `float`, integers and bools are converted
first; where it takes `exact`, they are refused. float64 is for the CPU; all else runs
on every device. **operations** and **bytes** are per element of the result, of s bytes:
what has to be computed and, if caches were perfect, moved. **gradient**: what flows to
each argument when g flows to the result, out being the result; a name with brackets is
a function in `src/veem/ops*.py`. All gradients are made
of ops, so gradients have gradients, of every order.
"""
CHEAP = {"abs", "copysign", "floor", "ceil", "trunc", "round", "sqrt"}


# ---- formulas: cpp/kernels/*.h -------------------------------------------------------


@functools.cache
def bodies():
    """The body of each formula, that for floats where there are several."""
    found = {}
    for path in sorted((TOP / "cpp/kernels").glob("*.h")):
        text = re.sub(r"//.*", "", path.read_text())
        for match in re.finditer(r"VEEM_MATH (?:T|bool) (\w+)\([^)]*\) \{", text):
            found[match[1]] = for_floats(block(text, match.end()))
    return found


def block(text, start):
    """From a brace that has been opened to where it closes."""
    depth, at = 1, start
    while depth:
        depth += {"{": 1, "}": -1}.get(text[at], 0)
        at += 1
    return text[start : at - 1].strip()


def for_floats(body):
    choice = re.search(r"if constexpr \(is_float<T>\(\)\) (return [^;]*;|\{)", body)
    if choice is None:
        return body.split("else", 1)[1].strip() if "is_bool" in body else body
    return block(body, choice.end()) if choice[1] == "{" else choice[1]


def formula(name):
    """A formula as one line, without C++'s types."""
    text = re.sub(r"\bT\(([-\w.]+)\)", r"\1", bodies()[name])
    text = re.sub(r"prim::|return |\b(T|bool) (?=\w)", "", re.sub(r"\bT\(", "(", text))
    text = re.sub(r"\s+", " ", text).strip().rstrip(";")
    return text if len(text) < 300 else f"{name}() in cpp/kernels"


@functools.cache
def cost(name):
    """How many operations a formula has, and which functions it calls."""
    body, total = bodies()[name], Counter()
    operators = r" (?:[-+*/<>&|?%]|<=|>=|==|!=|&&|\|\|) "
    total["operations"] = len(re.findall(operators, body))
    for called in re.findall(r"prim::(\w+)\(", body):
        total["operations" if called in CHEAP else called] += 1
    for called in re.findall(r"(?<!:)\b(\w+)\(", body):
        if called in bodies() and called != name:
            total += cost(called)
    return total if total.total() else Counter(operations=1)


def operations(name):
    total = Counter(cost(name))
    count = total.pop("operations", 0)
    calls = [f"{n} {f}" if n > 1 else f for f, n in total.items()]
    return " + ".join([str(count)] * (count > 0) + calls)


# ---- the page ------------------------------------------------------------------------


def table(*rows):
    """Rows of cells, the first being the head, as Markdown."""
    rows = [[str(cell).replace("|", "\\|") for cell in row] for row in rows]
    rows.insert(1, ["---"] * len(rows[0]))
    return "\n".join("| " + " | ".join(row) + " |" for row in rows) + "\n"


def code(text):
    return f"`{text}`" if text else ""


def gradient(op):
    if "all" in op.gradients:
        return code(op.gradients["all"])
    return ", ".join(f"{name}: {code(f)}" for name, f in op.gradients.items())


@functools.cache
def files(kernels):
    """The sources of a family: launchers for each backend, and Metal's kernels."""
    paths = []
    for backend in "cpu", "metal":
        for path in sorted((TOP / "cpp" / backend).glob("*.cpp")):
            if re.search(rf"\bvoid {kernels}\(const", path.read_text()):
                paths.append(path)
    if "metal" in paths[-1].parts:
        kernel = TOP / "cpp/metal/kernels" / f"{paths[-1].stem}.metal"
        paths += [kernel] if kernel.exists() else []
    return paths


def named(paths):
    return ", ".join(code(path.relative_to(TOP)) for path in paths)


def elementwise(ops):
    yield "## Elementwise, of ops.def\n\nShapes broadcast. In `cpp/kernels`, "
    yield named(files("elementwise")) + ".\n\n"
    yield table(
        ("op", "takes", "formula", "operations", "bytes", "gradient"),
        *(
            (op.name, op.takes, code(formula(op.name)), operations(op.name), op.bytes,
             gradient(op))
            for op in ops
        ),
    )  # fmt: skip


def family(ops):
    if ops[0].kernels == "-":
        yield "## Views\n\nThey show memory that is there.\n\n"
    else:
        paths = files(ops[0].kernels)
        title = paths[0].stem.replace("_", " ").capitalize()
        yield f"## {title}\n\nIn {named(paths)}.\n\n"
    yield table(
        ("op", "takes", "shapes", "operations", "bytes", "gradient"),
        *(
            (op.name, op.takes, code(op.shapes), op.operations, op.bytes, gradient(op))
            for op in ops
        ),
    )


def composites():
    yield "## Made of these\n\nTheir gradients follow from those above. What is in "
    yield "`linalg` asks LAPACK, on the CPU; the rest runs on every device.\n\n"
    rows = []
    for name, function in optable.composites().items():
        if function.__name__ != name:
            rows.append((name, f"Another name of {function.__name__}.", ""))
            continue
        function = inspect.unwrap(function)
        where = pathlib.Path(inspect.getsourcefile(function)).resolve()
        words = (inspect.getdoc(function) or "").split("\n\n")[0].replace("\n", " ")
        rows.append((name, words, code(where.relative_to(where.parents[1]))))
    yield table(("function", "what it gives", "in src/veem"), *rows)


def page():
    """The whole text."""
    place = lambda op: "" if op.kernels == "-" else files(op.kernels)[0].stem
    rows = [op for op in optable.record() if not op.operations]  # of ops.def
    others = sorted((op for op in optable.record() if op.operations), key=place)
    parts = [elementwise(rows), *(family(list(g)) for _, g in groupby(others, place))]
    return "\n".join([HEAD, *map("".join, [*parts, composites()])])


if __name__ == "__main__":
    pathlib.Path(sys.argv[1]).write_text(page())
