"""Faults for the kernels of orders.py, as in mutants.py."""

from mutants import BARRIER, OUTSIDE, RACE, UNWRITTEN, WRONG, Mutant

ROWS = [
    Mutant(
        "no barrier between the rounds of a bitonic sort",
        "sort", "sort.metal",
        f"step > 0; step /= 2) {{\n      {BARRIER}", "step > 0; step /= 2) {",
        f"{RACE}|{UNWRITTEN}",
    ),
    Mutant(
        "ties are not broken by the index",
        "sort", "sort.metal",
        " || (key[a] == key[b] && index[a] > index[b])", "", WRONG,
    ),
    Mutant(
        "equal elements of both runs go to one place",
        "sort", "sort.metal", " || (second && k == key)", "", f"{RACE}|{WRONG}",
    ),
    Mutant(
        "an element past the row's end", "sort", "sort.metal",
        "    if (begin + i >= s.n) break;\n", "", f"{OUTSIDE}|{RACE}",
    ),
    Mutant(
        "running results read before they are there",
        "scan", "scan.metal",
        f"at[id] = mine.at;\n  {BARRIER}", "at[id] = mine.at;", f"{RACE}|{UNWRITTEN}",
    ),
    Mutant(
        "running results overwritten while others read them",
        "scan", "scan.metal", f"    {BARRIER}  // all have read\n", "", RACE,
    ),
    Mutant(
        "what lies before a piece is left out",
        "scan", "scan.metal", "before = join(before, k);", "before = k;", WRONG,
    ),
    Mutant(
        "a search that stops one short",
        "search", "search.metal", "low = middle + 1", "low = middle + 2", WRONG,
    ),
    Mutant(
        "a search in the rows of another",
        "search", "search.metal", "i / s.m * s.n, low", "i % s.m * s.n, low",
        f"{OUTSIDE}|{WRONG}",
    ),
]  # fmt: skip
