"""What is said of a damaged file, in few words however large its parts are."""

import pickle
import reprlib


class _Brief(reprlib.Repr):
    """A few words about anything a file may make: depth and length are limited."""

    def repr_instance(self, x, level):
        return f"a {type(x).__name__}"


brief = _Brief().repr


def need(condition, what, *found):
    if not condition:
        raise pickle.UnpicklingError(" ".join([what, *map(brief, found)]))
