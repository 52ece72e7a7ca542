"""Box sets of the IoU goldens, the twin of boxes.ts: the same float32 numbers in both languages."""
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))
from seeded import integers, uniform  # noqa: E402

SETS = {
    # name: (seed, rows, columns, spread of corners, smallest side, largest side, offset, scale)
    "small": (11, 9, 8, 24, 1, 16, 0, 1),
    "pixels": (12, 9, 8, 200, 4, 120, 0, 1),
    "image": (13, 9, 8, 200, 1, 200, -100, 16),
    "far": (14, 9, 8, 64, 4, 64, 1048576, 1),
    "farther": (15, 9, 8, 64, 16, 128, -8388608, 1),
    "normalised": (16, 9, 8, 200, 4, 120, 0, 2.0**-8),
    "tiny": (17, 9, 8, 24, 1, 16, 0, 2.0**-30),
    "minute": (18, 9, 8, 24, 1, 16, 0, 2.0**-70),
    "huge": (19, 9, 8, 24, 1, 16, 0, 2.0**40),
    "vast": (20, 9, 8, 24, 1, 16, 0, 2.0**90),
}


def boxes_of(name, side):
    """(N, 4) float32 boxes: side 0 are the rows, 1 the columns."""
    if name == "lattice":
        # Whole corners from 0 to 3: identical, touching, containing, flat and point boxes, many ties.
        c = integers(31 + side, 4 * 16, 4).reshape(-1, 4).astype(np.float64)
        return np.concatenate([np.minimum(c[:, :2], c[:, 2:]), np.maximum(c[:, :2], c[:, 2:])], 1).astype(np.float32)
    if name == "slivers":
        # Sides from 2^-8 to 2^13: aspect ratios up to two million.
        e = integers(41 + side, 2 * 10, 22).reshape(-1, 2).astype(np.float64) - 8
        c = uniform(51 + side, 2 * 10, -4, 4).reshape(-1, 2)
        return np.concatenate([c, c + 2.0**e], 1).astype(np.float32)
    seed, rows, columns, spread, smallest, largest, offset, scale = SETS[name]
    n = columns if side else rows
    corner = uniform(seed + 1000 * side, 2 * n, 0, spread).reshape(-1, 2)
    size = uniform(seed + 1000 * side + 500, 2 * n, smallest, largest).reshape(-1, 2)
    # The first columns repeat rows, so that identical boxes occur.
    if side:
        corner[0] = uniform(seed, 2, 0, spread)
        size[0] = uniform(seed + 500, 2, smallest, largest)
    return (np.concatenate([offset + corner * scale, offset + (corner + size) * scale], 1)).astype(np.float32)


NAMES = [*SETS, "lattice", "slivers"]
