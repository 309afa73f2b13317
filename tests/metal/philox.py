"""Philox 4x32-10 in NumPy: what the kernels must draw."""

import numpy as np

SEED = 2**40 + 12345


def hashes(seed, offset, count):
    """Words of Philox 4x32-10, (count, 4), in integers of Python's size."""
    mask = np.uint64(0xFFFFFFFF)
    at = np.arange(offset, offset + count, dtype=np.uint64)
    zero = np.zeros_like(at)
    a, b, c, d = at & mask, at >> np.uint64(32), zero, zero
    key0, key1 = seed & 0xFFFFFFFF, seed >> 32
    for _ in range(10):
        p, q = a * np.uint64(0xD2511F53), c * np.uint64(0xCD9E8D57)
        a, b = (q >> np.uint64(32)) ^ b ^ np.uint64(key0), q & mask
        c, d = (p >> np.uint64(32)) ^ d ^ np.uint64(key1), p & mask
        key0, key1 = (key0 + 0x9E3779B9) % 2**32, (key1 + 0xBB67AE85) % 2**32
    return np.stack([a, b, c, d], 1)


def words(n, offset=0, seed=SEED):
    return hashes(seed, offset, -(-n // 4)).reshape(-1)[:n]


def words64(n, offset=0, seed=SEED):
    w = hashes(seed, offset, -(-n // 2)).reshape(-1, 2)[:n]
    return w[:, 0] << np.uint64(32) | w[:, 1]


def units(n, offset=0):
    return (words(n, offset) >> np.uint64(8)).astype(np.float64) * 2.0**-24
