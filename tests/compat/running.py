"""Runs programs with `python -m veem run`, each in a process of its own."""

import subprocess
import sys


def run(*arguments, **options):
    """The finished process of python -m veem run ARGUMENTS."""
    command = [sys.executable, "-m", "veem", "run", *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=300, **options
    )


def outcome(folder, source, *arguments):
    """The finished process of a program with this source."""
    script = folder / "program.py"
    script.write_text(source)
    return run(script, *arguments)
