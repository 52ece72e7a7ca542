"""Seeded numbers for goldens, the twin of seeded.ts: counter-based integers (lowbias32) scaled by powers of two."""
import numpy as np

M32 = np.uint32


def mix(x):
    x = np.asarray(x).astype(np.uint32)
    with np.errstate(over="ignore"):
        x = x ^ (x >> M32(16))
        x = x * M32(0x7FEB352D)
        x = x ^ (x >> M32(15))
        x = x * M32(0x846CA68B)
        return x ^ (x >> M32(16))


def raw(seed, count):
    with np.errstate(over="ignore"):
        return mix(mix(np.array([seed])) + np.arange(count).astype(np.uint32)).astype(np.uint64)


def integers(seed, count, bound):
    return (raw(seed, count) % bound).astype(np.int64)


def uniform(seed, count, low, high):
    steps = round((high - low) * 65536)
    return low + (raw(seed, count) % steps).astype(np.float64) / 65536
