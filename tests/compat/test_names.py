"""Every name of names.py is there, or says why it is not."""

import json
import pathlib

from running import run


def test_names_are_there_or_say_why_not():
    done = run(pathlib.Path(__file__).with_name("look_up.py"))
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == []
