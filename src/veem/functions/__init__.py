"""What users call: functions with PyTorch's signatures over the ops."""

from veem.functions import (
    arranging,
    covariance,
    distance,
    einsum,
    elementwise,
    histogram,
    indexing,
    joining,
    matmul,
    matrices,
    reduce,
    scan,
    scatter,
    shape,
    sort,
    statistics,
    unique,
)
from veem.functions.registry import names

__all__ = [
    "arranging",
    "covariance",
    "distance",
    "einsum",
    "elementwise",
    "histogram",
    "indexing",
    "joining",
    "matmul",
    "matrices",
    "names",
    "reduce",
    "scan",
    "scatter",
    "shape",
    "sort",
    "statistics",
    "unique",
]
