"""Helpers around training: data loading, checkpoints of activations, DLPack."""

from veem.utils import checkpoint, data, dlpack

__all__ = ["checkpoint", "data", "dlpack"]
