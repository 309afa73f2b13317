"""docs/metal.md: broken kernels are reported as it says, repaired ones are right."""

import pathlib
import re
import shlex

import numpy as np
import pytest
from simulated import simulated

import veem
from veem.__main__ import main
from veem.metal import command

pytestmark = simulated

ROOT = pathlib.Path(__file__).parents[2]
BROKEN = ROOT / "examples" / "metal" / "broken"
PAGE = (ROOT / "docs" / "metal.md").read_text()
CASE = re.compile(
    r"```sh\n(python -m veem metal run examples/metal/broken/(\w+)\.metal[^`]*)```\n\n"
    r"```text\n(.*?)```\n\n<details>(.*?)</details>",
    re.S,
)
CASES = {name: (text, said, folded) for text, name, said, folded in CASE.findall(PAGE)}


def average(x):
    padded = np.pad(x, 1, mode="edge")
    return (padded[:-2] + x + padded[2:]) / 3


WANTED = {
    "average": average,
    "sums": lambda x: x.sum(1),
    "histogram": lambda x: np.bincount(x % 8),
    "reverse": lambda x: np.concatenate([x[:64][::-1], x[64:][::-1]]),
    "rises": lambda x: np.diff(x, prepend=0),
    "sort": lambda x: np.sort(x)[::-1],
}


def words(name):
    """What the page's command says after `python -m veem`."""
    return shlex.split(CASES[name][0].replace("\\\n", " "))[3:]


def repaired(name):
    """The kernel's text with what the page's answer takes out (-) and puts in (+)."""
    text = (BROKEN / f"{name}.metal").read_text()
    for diff in re.findall(r"```diff\n(.*?)```", CASES[name][2], re.S):
        lines = diff.splitlines(keepends=True)
        old = "".join(line[1:] for line in lines if line[0] in " -")
        new = "".join(line[1:] for line in lines if line[0] in " +")
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


def test_the_page_has_all_of_them():
    assert {path.stem for path in BROKEN.glob("*.metal")} == CASES.keys()
    assert WANTED.keys() == CASES.keys()


@pytest.mark.parametrize("name", WANTED)
def test_report_is_the_page_s(name, capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    assert main(words(name)) == 1
    said = capsys.readouterr().err.replace("metal: simulated Metal: ", "")
    assert said.split() == CASES[name][1].split()


@pytest.mark.parametrize("name", WANTED)
def test_repaired_kernel_is_right(name):
    bound = [command.argument(w) for w in words(name) if re.match(r"\w+32:|\d+$", w)]
    grid, group, *bound = bound
    x = bound[0].cpu().numpy()
    kernel = veem.metal.kernel(repaired(name))
    for order in "forward", "reverse", 7:
        tensors = [b.clone() if isinstance(b, veem.Tensor) else b for b in bound]
        with veem.metal.simulator(order=order):
            kernel(grid, group, *tensors)
        got = tensors[0 if name == "sort" else 1].cpu().numpy()
        np.testing.assert_allclose(got, WANTED[name](x), rtol=1e-5, atol=1e-5)
