"""Linear algebra: the names of torch.linalg that veem has so far."""

from veem.functions.statistics import vector_norm

__all__ = ["vector_norm"]
