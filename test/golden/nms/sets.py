"""Seeded box sets, the twin of sets.ts."""
import numpy as np

M32 = np.uint32


def mix(x):
    x = x.astype(np.uint32)
    x = x ^ (x >> M32(16))
    x = x * M32(0x7FEB352D)
    x = x ^ (x >> M32(15))
    x = x * M32(0x846CA68B)
    return x ^ (x >> M32(16))


def integers(seed, stream, index, bound):
    base = mix(mix(np.array([seed], np.uint32)) + M32(stream))
    return (mix(base + index.astype(np.uint32)) % M32(bound)).astype(np.float64)


def make_set(seed, kind, count, classes):
    i = np.arange(count)
    u = lambda stream, bound: integers(seed, stream, i, bound)
    x = u(1, 640000) / 1000
    y = u(2, 640000) / 1000
    w = (u(3, 100000) + 1) / 1000
    h = (u(4, 100000) + 1) / 1000
    score = (u(5, 1 << 24) + 1) / (1 << 24)
    if kind == "detector":
        obj = i // (20 + seed % 31)
        v = lambda stream, bound: integers(seed, stream, obj, bound)
        w = 10 + v(11, 150000) / 1000
        h = 10 + v(12, 150000) / 1000
        x = v(13, 1200000) / 1000 + (w * (u(1, 2001) - 1000)) / 10000
        y = v(14, 1200000) / 1000 + (h * (u(2, 2001) - 1000)) / 10000
        w = (w * (9000 + u(3, 2001))) / 10000
        h = (h * (9000 + u(4, 2001))) / 10000
    elif kind == "grid":
        x, y, w, h = u(1, 12), u(2, 12), u(3, 5), u(4, 5)
        score = (u(5, 8) + 1) / 8
    elif kind == "negative":
        x = x - 700
        y = y - 1200
        score = (u(5, 64) - 32) / 64
    elif kind == "degenerate":
        what = u(6, 6)
        w = np.where(what == 0, 0, np.where(what == 2, -w, w))
        h = np.where(what == 1, 0, np.where(what == 4, -h, h))
        x, y, w, h = (np.where(what == 3, 50, v) for v in (x, y, w, h))
    elif kind == "thin":
        w = (u(3, 600000) + 1) / 1000
        h = (u(4, 2000) + 1) / 1000
    elif kind == "tile":
        size = np.cumprod(np.array([4.0] + [1.07] * 96))[i % 97]
        w = np.where(i % 2 == 0, size, 3000 / size)
        h = 3000 / size + (i % 89)
        x = 500 - w / 2 + u(1, 100) / 1000
        y = 500 - h / 2 + u(2, 100) / 1000
    elif kind == "huge":
        x, y, w, h = x * 30000, y * 30000, w * 30000, h * 30000
    elif kind == "integer":
        x, y, w, h = u(1, 600), u(2, 600), u(3, 90) + 1, u(4, 90) + 1
        score = ((((seed % 1000) + 1) * (i + 1) * 7919) % 1000003) / 1000003
    boxes = np.stack([x, y, x + w, y + h], 1).astype(np.float32) if count else np.zeros((0, 4), np.float32)
    ids = u(7, classes).astype(np.int64)
    ids = np.where(ids % 3 == 2, -1000003 * ids, ids)
    return boxes, score.astype(np.float32), ids
