"""Programs in the style of public ones, under veem and under PyTorch, with one seed.

Each of programs/ is a plain PyTorch script. Both must start from the same parameters,
go through the same losses, draw as many random numbers, and end with states of the same
names and shapes. Then each goes on from the other's checkpoint, with the same losses.
None of them is chaotic: an error of rounding stays one.
"""

import importlib.util
import json
import math
import os
import pathlib
import subprocess
import sys

import pytest
from running import run

import veem

if importlib.util.find_spec("torch") is None:
    pytest.skip("PyTorch is the reference here", allow_module_level=True)

HERE = pathlib.Path(__file__).parent
PROGRAMS = sorted((HERE / "programs").glob("*.py"))
PROGRAMS = [path.stem for path in PROGRAMS if path.stem != "record"]
WITHIN = {1: 1e-4, 10: 1e-3, 50: 1e-2}  # at which step losses agree how closely
AFTER = 1e-4  # how closely where both go on from one checkpoint


class Plays:
    """Records of programs, under veem and PyTorch, from the start and from there on."""

    def __init__(self, folder, programs):
        self.folder, self.programs = folder, programs
        self.errors = {}
        self._play_torch([[self._script(p), self.path(p, "torch")] for p in programs])
        for program in programs:
            self._play_veem(program, self.path(program, "veem"))
        again = []
        for p in programs:
            veem_record, torch_record = self.path(p, "veem"), self.path(p, "torch")
            if torch_record.exists():
                self._play_veem(p, self.path(p, "veem again"), torch_record)
            if veem_record.exists():
                again.append(
                    [self._script(p), self.path(p, "torch again"), veem_record]
                )
        self._play_torch(again)

    def _script(self, program):
        return HERE / "programs" / f"{program}.py"

    def path(self, program, who):
        return self.folder / f"{program} {who}.pt"

    def _play_veem(self, program, *paths):
        done = run(self._script(program), *paths)
        if done.returncode:
            self.errors.setdefault(program, f"under veem:\n{done.stderr}")

    def _play_torch(self, calls):
        calls = [[str(part) for part in call] for call in calls]
        command = [sys.executable, str(HERE / "play.py")]
        done = subprocess.run(
            command,
            input=json.dumps(calls),
            capture_output=True,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},  # these are small
        )
        assert done.returncode == 0, done.stderr
        for script, error in json.loads(done.stdout.splitlines()[-1]).items():
            program = pathlib.Path(script).stem
            self.errors.setdefault(program, f"under PyTorch:\n{error}")

    def __call__(self, program):
        """What was recorded under veem and PyTorch, then from each other's files."""
        assert program not in self.errors, self.errors[program]
        names = ("veem", "torch", "veem again", "torch again")
        return [veem.load(self.path(program, who)) for who in names]


@pytest.fixture(scope="module")
def plays(request, tmp_path_factory):
    """The programs of the tests that were asked for."""
    mine = [item for item in request.session.items if item.module is request.module]
    wanted = {item.callspec.params["program"] for item in mine}
    return Plays(tmp_path_factory.mktemp("records"), sorted(wanted))


def tensors(state, where=""):
    """The tensors in a state_dict, by where they are."""
    if isinstance(state, veem.Tensor):
        yield where, state
    pairs = ()
    if isinstance(state, dict):
        pairs = state.items()
    elif isinstance(state, (list, tuple)):
        pairs = enumerate(state)
    for key, part in pairs:
        yield from tensors(part, f"{where}/{key}")


def off(a, b):
    """How far numbers differ, in parts of the number where that is above 1."""
    return abs(a - b) / max(1.0, abs(b)) if math.isfinite(a - b) else math.inf


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_does_the_same(plays, program):
    ours, theirs, *_ = plays(program)
    assert_same_start(ours["init"], theirs["init"])
    pairs = list(zip(ours["losses"], theirs["losses"]))
    assert len(ours["losses"]) == len(theirs["losses"]) == len(pairs)
    for step, (a, b) in enumerate(pairs, 1):
        closely = next(
            (v for k, v in WITHIN.items() if step <= k), max(WITHIN.values())
        )
        assert off(a, b) <= closely, f"step {step}: {a} here, {b} in PyTorch"
    for step, (us, them) in enumerate(zip(ours["values"], theirs["values"]), 1):
        assert all(off(a, b) <= 1e-2 for a, b in zip(us, them)), (step, us, them)
    assert veem.equal(ours["random"], theirs["random"]), "drew another number of times"


def assert_same_start(ours, theirs):
    ours, theirs = dict(tensors(ours)), dict(tensors(theirs))
    assert list(ours) == list(theirs)
    for name, x in ours.items():
        y = theirs[name]
        assert x.shape == y.shape and x.dtype == y.dtype, name
        assert veem.allclose(x.double(), y.double(), rtol=1e-5, atol=1e-6), name


@pytest.mark.parametrize("program", PROGRAMS)
def test_states_have_the_same_names_and_shapes(plays, program):
    ours, theirs, *_ = (record["checkpoint"] for record in plays(program))
    facts = lambda state: {n: (x.shape, x.dtype) for n, x in tensors(state)}
    assert facts(ours) == facts(theirs)
    for part in ours:  # the order of tensors is compared where they start
        assert set(ours[part]) == set(theirs[part]), part


@pytest.mark.parametrize("program", PROGRAMS)
def test_checkpoints_go_both_ways(plays, program):
    ours, theirs, ours_again, theirs_again = plays(program)
    for first, other in ((ours, theirs_again), (theirs, ours_again)):
        count = len(other["losses"])
        assert 0 < count < len(first["losses"])
        for a, b in zip(first["losses"][-count:], other["losses"]):
            assert off(a, b) <= AFTER, (first["losses"][-count:], other["losses"])
        assert veem.equal(first["random"], other["random"])
