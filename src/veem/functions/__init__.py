"""What users call: functions with PyTorch's signatures over the ops."""

from veem.functions import elementwise, shape
from veem.functions.registry import names

__all__ = ["elementwise", "names", "shape"]
