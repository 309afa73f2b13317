"""Functions around signals."""

from veem.signal import windows

__all__ = ["windows"]
