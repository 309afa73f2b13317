"""Files that were made to do harm: errors, no code, no crash, no memory."""

import json
import pathlib
import subprocess
import sys

import pytest
from hostile import cases, mutants

import veem

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="limits memory")

CASES = cases()
FAMILIES = {"UnpicklingError", "RuntimeError"}


def outcomes(folder):
    """What a process whose memory is limited says of each file of a folder."""
    here = pathlib.Path(__file__).parent
    child = subprocess.run(
        [sys.executable, str(here / "load_all.py"), str(folder)],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert child.returncode == 0, child.stdout[-500:] + child.stderr[-2000:]
    return {name: found for name, *found in map(json.loads, child.stdout.splitlines())}


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile")
    for i, (data, _, _) in enumerate(CASES.values()):
        (folder / f"{i}.pt").write_bytes(data)
    found = outcomes(folder)
    return {case: found[f"{i}.pt"] for i, case in enumerate(CASES)}


@pytest.mark.parametrize("case", CASES)
def test_hostile(said, case):
    _, kind, text = CASES[case]
    # Files of the old kind cannot be mapped.
    for found, message in said[case][: 1 if case.startswith("file.old") else 2]:
        assert found == kind, message
        assert not kind or ".pt: " in message  # says which file
    assert text in said[case][0][1]


def test_mutants(tmp_path):
    for i, data in enumerate(mutants(3000)):
        (tmp_path / f"{i}.mutant").write_bytes(data)
    kinds = [found for ((found, _),) in outcomes(tmp_path).values()]
    assert len(kinds) == 3000
    assert set(kinds) <= FAMILIES | {""}
    assert kinds.count("") < 1500


def test_a_sound_file_takes_its_size(tmp_path):
    """40 MB in a process that may take 48 MB more; mapped, next to nothing."""
    veem.save(veem.zeros(10 << 20), tmp_path / "x.large")
    assert outcomes(tmp_path) == {"x.large": [["", ""]]}


def test_nothing_of_the_loaders_is_changed(said):
    """Files may not leave anything behind in shared objects."""
    assert veem.Size((2,)).numel() == 2
    assert not vars(veem.serialization.safe.ALLOWED["torch.Size"])
