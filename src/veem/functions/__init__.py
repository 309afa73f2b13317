"""What users call: functions with PyTorch's signatures over the ops."""

from veem.functions import (
    arranging,
    compare,
    covariance,
    distance,
    einsum,
    elementwise,
    facts,
    histogram,
    indexing,
    interop,
    joining,
    matmul,
    matrices,
    reduce,
    scan,
    scatter,
    shape,
    slopes,
    sort,
    special,
    statistics,
    twins,
    unique,
)

from veem.functions import copies  # isort: skip, it copies what those above give
from veem.functions.registry import names
from veem.tensor import Tensor

# Methods that change their tensor and are functions too, beside those of elementwise.
INPLACE = """addmv_ arccos_ arccosh_ arcsin_ arcsinh_ arctan_ arctanh_ as_strided_
clamp_ clamp_max_ clamp_min_ clip_ deg2rad_ detach_ fill_ fix_ gcd_ index_put_ lcm_
ldexp_ logit_ nan_to_num_ negative_ rad2deg_ resize_as_ round_ xlogy_ zero_"""
names.update({name: getattr(Tensor, name) for name in INPLACE.split()})

__all__ = [
    "arranging",
    "compare",
    "copies",
    "covariance",
    "distance",
    "einsum",
    "elementwise",
    "facts",
    "histogram",
    "indexing",
    "interop",
    "joining",
    "matmul",
    "matrices",
    "names",
    "reduce",
    "scan",
    "scatter",
    "shape",
    "slopes",
    "sort",
    "special",
    "statistics",
    "twins",
    "unique",
]
