"""What functions with several results return: named tuples that print as PyTorch's."""

import collections
import typing

_FIELDS = """
aminmax: min max
cummax cummin kthvalue max median min mode nanmedian sort topk: values indices
frexp: mantissa exponent
geqrf: a tau
histogram histogramdd: hist bin_edges
linalg_cholesky_ex: L info
linalg_eigh: eigenvalues eigenvectors
linalg_inv_ex: inverse info
linalg_lstsq: solution residuals rank singular_values
linalg_lu: P L U
linalg_lu_factor: LU pivots
linalg_lu_factor_ex: LU pivots info
linalg_qr: Q R
linalg_slogdet: sign logabsdet
linalg_solve_ex: result info
linalg_svd: U S Vh
lu_unpack: P L U
svd: U S V
triangular_solve: solution cloned_coefficient
"""


class Results:
    """The base of them all."""

    __slots__ = ()

    def __repr__(self):
        fields = zip(self._fields, self)
        parts = ",\n".join(f"{name}={value!r}" for name, value in fields)
        return f"veem.return_types.{type(self).__name__}(\n{parts})"


for _line in _FIELDS.strip().splitlines():
    _names, _, _fields = _line.partition(": ")
    for _name in _names.split():
        _base = collections.namedtuple(_name, _fields)  # type: ignore[misc]
        _own = {"__slots__": (), "__module__": __name__}
        globals()[_name] = type(_name, (Results, _base), _own)

if typing.TYPE_CHECKING:  # those classes, for type checkers

    def __getattr__(name: str) -> typing.Any: ...
