"""What users call: functions with PyTorch's signatures over the ops."""

from veem.functions import (
    arranging,
    elementwise,
    indexing,
    joining,
    matmul,
    matrices,
    reduce,
    scatter,
    shape,
)
from veem.functions.registry import names

__all__ = [
    "arranging",
    "elementwise",
    "indexing",
    "joining",
    "matmul",
    "matrices",
    "names",
    "reduce",
    "scatter",
    "shape",
]
