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

# Functions that get their out= here, beside those of twins.
WITH_OUT = """addbmm addmm addmv addr baddbmm bmm column_stack cross diag dot dstack
hstack index_add index_copy index_reduce inner kron log_softmax matmul mm mv narrow_copy
nonzero outer row_stack scatter scatter_add scatter_reduce slice_scatter softmax stack
take_along_dim tensordot tril triu vdot vstack"""
names.update({name: twins.with_out(names[name]) for name in WITH_OUT.split()})

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
