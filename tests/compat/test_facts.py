"""What facts.py says of PyTorch is so, in veem and in PyTorch."""

import importlib.util
import json
import pathlib
import subprocess
import sys

import pytest
from running import run

FACTS = pathlib.Path(__file__).with_name("facts.py")


def test_veem_gives_what_pytorch_gives():
    done = run(FACTS)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == []


@pytest.mark.skipif(
    importlib.util.find_spec("torch") is None, reason="PyTorch is the reference here"
)
def test_the_facts_are_pytorchs():
    done = subprocess.run([sys.executable, FACTS], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == []
