"""finfo and iinfo: what a dtype can hold."""

from veem import _core

# Bits of the fraction and the least exponent of normal numbers, by dtype's name.
_FLOATS = {
    "float16": (10, -14),
    "bfloat16": (7, -126),
    "float32": (23, -126),
    "float64": (52, -1022),
}


class finfo:
    """The limits of a float dtype (the default one, if none is given).

    eps: from 1 to the next number. tiny: the least normal number, also called
    smallest_normal. resolution: 10 to minus the number of decimal digits it keeps.
    """

    def __init__(self, type=None):
        type = type or _core.get_default_dtype()
        if type.name not in _FLOATS:
            raise TypeError(f"finfo: {type} is no floating point type; use iinfo")
        fraction, least = _FLOATS[type.name]
        self.dtype, self.bits = type.name, 8 * type.itemsize
        self.eps = 2.0**-fraction
        self.tiny = self.smallest_normal = 2.0**least
        self.max = (2 - self.eps) * 2.0 ** (1 - least)
        self.min = -self.max
        self.resolution = 10.0 ** -int(fraction * 0.30103)  # log10(2)

    def __repr__(self):
        names = "resolution min max eps smallest_normal tiny".split()
        values = ", ".join(f"{name}={getattr(self, name):.6g}" for name in names)
        return f"finfo({values}, dtype={self.dtype})"


class iinfo:
    """The least and the greatest number of an integer dtype."""

    def __init__(self, type):
        if type.is_floating_point or type is _core.bool:
            raise TypeError(f"iinfo: {type} is no integer type; use finfo")
        self.dtype, self.bits = type.name, 8 * type.itemsize
        self.min = -(2 ** (self.bits - 1)) if type.is_signed else 0
        self.max = self.min + 2**self.bits - 1

    def __repr__(self):
        return f"iinfo(min={self.min:.6g}, max={self.max:.6g}, dtype={self.dtype})"
