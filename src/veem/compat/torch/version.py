"""The version of PyTorch whose names and results veem follows."""

import re

import veem


class TorchVersion(str):
    """A version as a string, compared by its numbers, also with tuples of them."""

    __slots__ = ()

    def _numbers(self, other):
        if isinstance(other, str):
            other = re.split(r"[.+a-z]", other)
        wanted = tuple(int(n) for n in other if str(n).isdigit())
        mine = tuple(int(n) for n in re.match(r"[\d.]+", self)[0].split("."))
        size = max(len(mine), len(wanted))
        pad = lambda numbers: numbers + (0,) * (size - len(numbers))
        return pad(mine), pad(wanted)

    def __lt__(self, other):
        mine, other = self._numbers(other)
        return mine < other

    def __le__(self, other):
        mine, other = self._numbers(other)
        return mine <= other

    def __gt__(self, other):
        return not self <= other

    def __ge__(self, other):
        return not self < other


__version__ = TorchVersion(f"2.13.0+veem{veem.__version__}")
cuda = hip = xpu = None
debug = False
git_version = "unknown"
