"""Tests import their shared tables by name: from opinfo import all_rows."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
