"""python -m veem: the command line."""

import argparse
import sys

import veem


def main(arguments=None):
    """Runs a subcommand and returns its exit status."""
    parser = argparse.ArgumentParser("python -m veem", description=veem.__doc__)
    parser.add_argument("--version", action="version", version=veem.__version__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser(
        "doctor", help="what veem runs on here, and what to do where something is wrong"
    )
    parser.parse_args(arguments)
    from veem import doctor

    return doctor.main()


if __name__ == "__main__":
    sys.exit(main())
