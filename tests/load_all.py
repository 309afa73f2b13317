"""python tests/load_all.py FOLDER loads every file of a folder, with memory limited.

It prints a line of JSON for each: its name, the exception's type and text ("" for
none), and the same for loading it mapped into memory where it has the ending pt.
"""

import json
import pathlib
import resource
import sys

import veem

MEMORY = 48 << 20  # what a loading may take beyond what the process had


def limit_memory():
    with open("/proc/self/statm") as file:
        now = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now + MEMORY, now + MEMORY))


def attempt(path, load, **kwargs):
    try:
        load(path, **kwargs)
    except Exception as error:
        return type(error).__name__, str(error)
    return "", ""


def main(folder):
    veem.ones(3).sum()
    load = veem.load
    if folder.endswith("safetensors"):
        from veem.safetensors import load_file as load
    paths = sorted(pathlib.Path(folder).iterdir())
    limit_memory()
    for path in paths:
        kinds = [attempt(path, load)]
        if path.suffix == ".pt":
            kinds.append(attempt(path, load, mmap=True))
        print(json.dumps([path.name, *kinds]), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
