"""Tests import their shared tables by name: from opinfo import all_rows."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))


@pytest.fixture
def nowhere(tmp_path, monkeypatch):
    """A folder, where neither VEEM_DATA nor the cache has datasets' files."""
    monkeypatch.delenv("VEEM_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path
