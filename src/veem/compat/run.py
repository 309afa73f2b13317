"""python -m veem run: a PyTorch program, with veem under the name torch."""

import argparse
import os
import re
import runpy
import sys
import types
from traceback import print_exception

from veem import compat
from veem.compat import missing, modules, notebook

NOTE = """
examples:
  python -m veem run train.py --epochs 3     what follows the script is the script's
  python -m veem run -m package.train        a module, found as python -m finds it
  python -m veem run lesson.ipynb            a notebook, cell by cell
  python -m veem run --list-missing train.py what veem lacks for it; nothing is run
"""


def add_arguments(parser):
    """Adds run's arguments to its parser."""
    parser.epilog, parser.formatter_class = NOTE, argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "--list-missing",
        action="store_true",
        help="list the names of torch in the files that veem lacks; 1 if there are any",
    )
    parser.add_argument(
        "--allow-errors",
        action="store_true",
        help="go on with a notebook's next cell where one fails, as nbconvert does",
    )
    parser.add_argument(
        "-m",
        dest="module",
        action="store_true",
        help="run a module, as python -m does",
    )
    parser.add_argument("program", help="a script, a notebook (.ipynb) or a module")
    parser.add_argument(
        "arguments", nargs=argparse.REMAINDER, help="the program's own arguments"
    )


def main(options):
    """Runs the program; its exceptions and exits are this process's."""
    compat.install()
    if options.list_missing:
        return missing.main([options.program, *options.arguments])
    if not options.module and not os.path.exists(options.program):
        print(f"python -m veem run: no file {options.program!r}", file=sys.stderr)
        return 2
    sys.argv = [options.program, *options.arguments]
    _hide_frames()
    if options.module:
        runpy.run_module(options.program, run_name="__main__", alter_sys=True)
    elif options.program.endswith(".ipynb"):
        module = _main_module(options.program)
        notebook.run(options.program, module, options.allow_errors)
    else:
        _run_script(options.program)
    return 0


def _main_module(path):
    """A fresh __main__ for a file, whose folder comes first in the search for modules.

    It stays when the program has ended: threads and exit handlers still use it.
    """
    module = types.ModuleType("__main__")
    module.__file__, module.__builtins__ = path, __builtins__
    sys.modules["__main__"] = module
    folder = os.path.dirname(os.path.realpath(path))
    if not getattr(sys.flags, "safe_path", False):
        sys.path[0] = folder
    return module


def _run_script(path):
    namespace = _main_module(path).__dict__
    with open(path, "rb") as file:
        code = compile(file.read(), path, "exec", dont_inherit=True)
    exec(code, namespace)


def _hint(error):
    """To `from torch import nothing` Python says only that it is not there."""
    name = re.match(r"cannot import name '(\w+)'", str(error))
    if isinstance(error, ImportError) and name and error.name:
        if error.name.split(".")[0] in modules.ROOTS:
            print(modules.lacking(f"{error.name}.{name[1]}"), file=sys.stderr)


def _hide_frames():
    """Prints tracebacks from the program's first line on, as Python does."""
    ours = {__file__, notebook.__file__, runpy.run_module.__code__.co_filename}
    outer = sys._getframe()
    while outer:
        ours.add(outer.f_code.co_filename)
        outer = outer.f_back

    def excepthook(kind, error, traceback):
        while traceback and traceback.tb_frame.f_code.co_filename in ours:
            traceback = traceback.tb_next
        print_exception(kind, error, traceback)
        _hint(error)

    sys.excepthook = excepthook
