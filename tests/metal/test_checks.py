"""What the simulator reports: each fault with its line and thread, and no other."""

import re

import broken
import numpy as np
import pytest
from simulated import run, simulated

pytestmark = simulated


def launch(row, repaired):
    x = np.arange(64, dtype=np.float32)
    out = np.zeros(row.size, dtype=np.float32)
    return run(broken.source(row, repaired), 64, row.group, x, out)


@pytest.mark.parametrize("row", broken.ROWS, ids=lambda row: row.name)
def test_fault_is_reported(row):
    with pytest.raises(RuntimeError) as error:
        launch(row, repaired=False)
    said = str(error.value)
    assert f"kernel.metal:{broken.line(row)}: " in said
    assert "kernel broken" in said
    assert re.search(row.says, said), said


@pytest.mark.parametrize("order", ["forward", "reverse", 7])
@pytest.mark.parametrize("row", broken.ROWS, ids=lambda row: row.name)
def test_repaired_twin_runs_clean(row, order):
    x = np.arange(64, dtype=np.float32)
    out = np.zeros(row.size, dtype=np.float32)
    run(broken.source(row, repaired=True), 64, row.group, x, out, order=order)
