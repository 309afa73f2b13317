"""README and docs hold: their Python runs, what they quote from the sources is there.

A block ```python runs; the blocks of a page share their names, and what a statement
prints is what its comments `# -> text` say. A block ```python src/veem/ops.py (or
```cpp, a path after it) quotes that file, `...` standing for what is left out.
"""

import ast
import contextlib
import io
import pathlib
import re

import pytest

import veem

ROOT = pathlib.Path(__file__).parent.parent
PAGES = [
    "README.md",
    "CONTRIBUTING.md",
    *sorted(f"docs/{p.name}" for p in ROOT.glob("docs/*.md")),
]
BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.M | re.S)


def blocks(page):
    """(language, path, text, number of its first line) of each block."""
    text = (ROOT / page).read_text()
    for m in BLOCK.finditer(text):
        yield m[1], m[2], m[3], text[: m.start()].count("\n") + 2


def run(code, names):
    """Runs a block; what each statement prints must be what its comments claim."""
    lines = code.splitlines()
    for statement in ast.parse(code).body:
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            exec(compile(ast.Module([statement], []), "<docs>", "exec"), names)
        text = "\n".join(lines[statement.lineno - 1 : statement.end_lineno])
        claims = re.findall(r"# -> (.*)$", text, re.M)
        if claims:
            assert out.getvalue().splitlines() == claims, text


# Which Python gives from 3.12 on, wherever a process with threads forks.
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
@pytest.mark.parametrize("page", PAGES)
def test_python_blocks_run(page, tmp_path, monkeypatch):
    if page == "docs/metal.md" and not veem.metal.is_available():
        pytest.skip("no metal device")
    monkeypatch.chdir(tmp_path)
    names = {"__name__": "__main__"}
    for language, path, code, number in blocks(page):
        if language == "python" and not path:
            try:
                run(code, names)
            except Exception as error:
                raise AssertionError(
                    f"{page}, block at line {number}: {error}"
                ) from error


@pytest.mark.parametrize("page", PAGES)
def test_quotes_are_true(page):
    for _, path, quote, number in blocks(page):
        if not path:
            continue
        source = (ROOT / path).read_text()
        for part in re.split(r"^ *(?://|#)? ?\.\.\.\n", quote, flags=re.M):
            assert part in source, (
                f"{page}, line {number}: {path} does not contain\n{part}"
            )


@pytest.mark.parametrize("page", PAGES)
def test_links_and_files_exist(page):
    text = (ROOT / page).read_text()
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (ROOT / page).parent.joinpath(target).exists(), target
    for path in re.findall(
        r"`((?:src|cpp|tests|docs|bench|examples|tools)/[\w./-]+)`", text
    ):
        assert (ROOT / path).exists(), path
