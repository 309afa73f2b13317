"""Faults put into veem's own kernels: each must be seen, by a check, by the compiler,
or in the numbers. It tests the simulator, and the tests.
"""

import re

import pytest
from families import CPP, FAMILIES, flat
from mutants import ROWS as MUTANTS
from order_mutants import ROWS as ORDERS
from simulated import simulated

pytestmark = simulated
ROWS = MUTANTS + ORDERS


@pytest.mark.parametrize("family", FAMILIES)
def test_family(family):
    FAMILIES[family](flat(family))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.fault)
def test_mutant(row):
    text = (CPP / "metal" / "kernels" / row.file).read_text()
    assert text.count(row.old) == 1, (
        f"{row.file} has changed: {row.old!r} is not there once"
    )
    source = flat(row.family)
    assert source.count(row.old) == 1
    with pytest.raises((RuntimeError, AssertionError, ValueError)) as error:
        FAMILIES[row.family](source.replace(row.old, row.new))
    assert re.search(row.seen, str(error.value), re.S), error.value


def test_there_are_enough():
    assert len(ROWS) >= 30
