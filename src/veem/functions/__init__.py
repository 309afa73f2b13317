"""What users call: functions with PyTorch's signatures over the ops."""

from veem.functions import arranging, elementwise, indexing, matmul, reduce, shape
from veem.functions.registry import names

__all__ = ["arranging", "elementwise", "indexing", "matmul", "names", "reduce", "shape"]
