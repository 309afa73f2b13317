"""The type stub says what the core has."""

import importlib.util
import pathlib

ROOT = pathlib.Path(__file__).parent.parent


def test_stub_is_current():
    spec = importlib.util.spec_from_file_location("stubs", ROOT / "tools" / "stubs.py")
    stubs = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(stubs)
    written = (ROOT / "src" / "veem" / "_core.pyi").read_text()
    assert written == stubs.stub(), "run `make stubs`"
