"""python -m veem: the command line."""

import argparse
import sys

import veem
from veem import doctor, optable
from veem.compat import run
from veem.metal import command


def main(arguments=None):
    """Runs a subcommand and returns its exit status."""
    parser = argparse.ArgumentParser("python -m veem", description=veem.__doc__)
    parser.add_argument("--version", action="version", version=veem.__version__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser(
        "doctor", help="what veem runs on here, and what to do where something is wrong"
    )
    commands.add_parser(
        "ops", help="every op: dtypes, devices, gradient, and gradient of the gradient"
    )
    metal = commands.add_parser(
        "metal", help="compiles and runs Metal kernels, checked where simulated"
    )
    command.add_arguments(metal)
    program = commands.add_parser(
        "run", help="runs a program written for PyTorch, with veem in torch's place"
    )
    run.add_arguments(program)
    options = parser.parse_args(arguments)
    if options.command == "metal":
        return command.main(options)
    if options.command == "run":
        return run.main(options)
    return {"doctor": doctor, "ops": optable}[options.command].main()


if __name__ == "__main__":
    sys.exit(main())
