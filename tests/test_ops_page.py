"""docs/ops.md says what the tables say."""

import importlib.util
import pathlib

import pytest

from veem import optable

ROOT = pathlib.Path(__file__).parent.parent


@pytest.fixture(scope="module")
def pages():
    path = ROOT / "tools" / "ops_page.py"
    spec = importlib.util.spec_from_file_location("ops_page", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_op_has_its_line():
    missing = [op.name for op in optable.record() if op.kernels == "?"]
    assert not missing, f"without a line in FAMILIES of src/veem/optable.py: {missing}"


def test_page_is_current(pages):
    written = (ROOT / "docs" / "ops.md").read_text()
    assert written == pages.page(), "run `make ops`"


def test_formulas_are_those_of_floats(pages):
    assert pages.formula("rsqrt") == "1 / sqrt(x)"
    assert pages.formula("mul") == "a * b"
    assert pages.formula("bitwise_and") == "(a & b)"
    assert pages.formula("silu") == "x * sigmoid(x)"


def test_operations_are_counted(pages):
    assert pages.operations("add") == "1"
    assert pages.operations("rsqrt") == "2"  # a quotient of a root
    assert pages.operations("exp") == "exp"
    assert pages.operations("tanh_backward") == "3"
    inner, outer = (int(pages.operations(n).split()[0]) for n in ("sigmoid", "silu"))
    assert outer == inner + 1
