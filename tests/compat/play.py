"""Plays programs under PyTorch, all in one process, as to import it takes longest.

python play.py: reads lists of arguments as JSON, a program's path first; prints what
went wrong, by program.
"""

import json
import pathlib
import runpy
import sys
import traceback

errors = {}
for arguments in json.load(sys.stdin):
    program = arguments[0]
    sys.argv = arguments
    sys.path[0] = str(pathlib.Path(program).parent)
    try:
        runpy.run_path(program, run_name="__main__")
    except Exception:
        errors[program] = traceback.format_exc()
print("\n" + json.dumps(errors))
