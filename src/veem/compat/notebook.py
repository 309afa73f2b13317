"""Runs a notebook's cells, one after the other, in one namespace.

The value of a cell's last line is printed, as in Jupyter. Magics (%matplotlib inline)
and shell commands (!pip install) are not run; a note says so.
"""

import ast
import json
import linecache
import os
import re
import sys

# Magics of a cell whose rest is Python all the same.
_PYTHON_CELLS = ("time", "timeit", "capture", "prun", "python", "python3")


def cells(path):
    """The code cells of a notebook: their numbers, from 1 on, and their text."""
    with open(path, encoding="utf-8") as file:
        try:
            notebook = json.load(file)
            found = notebook["cells"]
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(
                f"{path} is no notebook of format 4 or later: {error!r}"
            ) from None
    code = (cell["source"] for cell in found if cell["cell_type"] == "code")
    texts = (s if isinstance(s, str) else "".join(s) for s in code)
    return list(enumerate(texts, 1))


def plain(text, note=lambda what: None):
    """A cell's text as Python: lines for Jupyter are left out, each with a note."""
    magic = re.match(r"\s*%%(\w+)(.*)\n?", text)
    if magic:
        note(f"%%{magic[1]}{magic[2]}")
        if magic[1] not in _PYTHON_CELLS:
            return ""
        text = "\n" * magic[0].count("\n") + text[magic.end() :]
    lines = text.split("\n")
    try:
        ast.parse(text)  # where it is Python, a % may begin a line inside brackets
        return text
    except SyntaxError:
        pass
    for i, line in enumerate(lines):
        stripped = line.strip()
        if re.match(r"([%!]|\?\w|\w+ *= *[!%]\w)", stripped) or re.match(
            r"[\w.]+\?{1,2}$", stripped
        ):
            note(stripped)
            lines[i] = line[: len(line) - len(line.lstrip())] + "pass"
    return "\n".join(lines)


def run(path, module, allow_errors=False):
    """Runs the cells of a notebook in a module, which is __main__.

    allow_errors: a cell's exception is printed, and the next cell comes; for notebooks
    whose cells were not run in the order that they stand in.
    """
    os.environ.setdefault("MPLBACKEND", "agg")  # figures are drawn, but not shown
    module.display = lambda *values: print(*map(repr, values), sep="\n")
    for number, text in cells(path):
        name = f"{path}, cell {number}"

        def note(what, name=name):
            print(f"note: {name}: not run: {what}", file=sys.stderr)

        try:
            _run_cell(plain(text, note), name, module)
        except Exception as error:
            if not allow_errors:
                raise
            sys.stdout.flush()
            sys.excepthook(type(error), error, error.__traceback__)


def _run_cell(text, name, module):
    # The lines are at hand for tracebacks.
    linecache.cache[name] = (len(text), None, text.splitlines(True), name)
    tree = ast.parse(text, name)
    last = tree.body[-1] if tree.body else None
    shown = isinstance(last, ast.Expr) and not text.rstrip().endswith(";")
    if shown:
        tree.body.pop()
    exec(compile(tree, name, "exec", dont_inherit=True), module.__dict__)
    if shown:
        code = compile(ast.Expression(last.value), name, "eval", dont_inherit=True)
        value = eval(code, module.__dict__)
        if value is not None:
            print(repr(value))
