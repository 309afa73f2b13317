"""What a row of mutants.py is made of."""

from typing import NamedTuple

BARRIER = "threadgroup_barrier(mem_flags::mem_threadgroup);"
RACE = "data race"
OUTSIDE = "out of bounds"
WRONG = "Not equal to tolerance"
UNWRITTEN = "uninitialised"
DIVERGED = "divergent barrier"


class Mutant(NamedTuple):
    fault: str
    family: str
    file: str
    old: str
    new: str
    seen: str  # a regular expression
