"""Helpers around training: data loading, DLPack."""

from veem.utils import data, dlpack

__all__ = ["data", "dlpack"]
