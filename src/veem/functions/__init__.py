"""What users call: functions with PyTorch's signatures over the ops."""

from veem.functions import elementwise, matmul, reduce, shape
from veem.functions.registry import names

__all__ = ["elementwise", "matmul", "names", "reduce", "shape"]
