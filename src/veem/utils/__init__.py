"""Helpers around training: data loading."""

from veem.utils import data

__all__ = ["data"]
