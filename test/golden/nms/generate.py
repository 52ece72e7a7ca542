"""Keep lists of torchvision.ops.nms on seeded box sets: writes keep-lists.json (count, hash, first and last indices).

Inputs are made by the integer generator that sets.ts repeats. Class-aware lists come from one ops.nms a class and a
stable score sort (batched_nms is wrong for negative coordinates and does not order ties); batched_nms itself is
recorded only for the `integer` sets: non-negative, distinct scores, coordinates exact under its offset.

Run: OMP_NUM_THREADS=1 /usr/bin/python3 generate.py      (versions are written into the file)
"""
import json
import os
import sys

import numpy as np
import torch
import torchvision
from torchvision.ops import batched_nms, nms

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
    return torch.from_numpy(boxes), torch.from_numpy(score.astype(np.float32)), torch.from_numpy(ids)


def record(indices):
    value = 0x811C9DC5
    for index in indices:
        value = ((value ^ index) * 0x01000193) & 0xFFFFFFFF
    return [len(indices), value, indices[:4], indices[-2:]]


def class_aware(boxes, scores, ids, threshold):
    keep = []
    for c in torch.unique(ids):
        members = torch.where(ids == c)[0]
        keep.append(members[nms(boxes[members], scores[members], threshold)])
    if not keep:
        return []
    keep, _ = torch.sort(torch.cat(keep))
    return keep[torch.sort(scores[keep], descending=True, stable=True)[1]].tolist()


def specs():
    kinds = ["uniform", "detector", "grid", "negative", "degenerate", "thin", "huge", "integer", "tile"]
    thresholds = [0.5, 0.45, 0.7, 0.3, 0.65, 0.5, 0.05, 0.9, 0.01, 0.0]
    for n in range(500):
        kind = kinds[n % len(kinds)]
        threshold = thresholds[(n * 7 + n // 9) % len(thresholds)]
        if n < 20:
            count = n % 5 if n < 10 else 7 * n
        elif n < 330:
            count = 20 + (n * n * 37) % 4980
        elif n < 470:
            count = 5000 + (n * n * 41) % 15000
        elif n < 492:
            count = 20000 + (n * n * 1009) % 30000
        else:
            count = 100000 if n % 2 else 60000 + n
        if kind == "tile":
            count = min(count, 4000)
        if threshold < 0.05:
            count = min(count, 20000)
        yield dict(seed=1000 + n, kind=kind, count=count, classes=[1, 80, 3, 1000][n % 4], threshold=threshold)


def main():
    torch.set_num_threads(1)
    rows = []
    for spec in specs():
        boxes, scores, ids = make_set(spec["seed"], spec["kind"], spec["count"], spec["classes"])
        row = dict(spec)
        row["agnostic"] = record(nms(boxes, scores, spec["threshold"]).tolist())
        row["classAware"] = record(class_aware(boxes, scores, ids, spec["threshold"]))
        if spec["kind"] == "integer":
            small = torch.where(ids < 0, (-ids) // 1000003, ids)
            row["batched"] = record(batched_nms(boxes, scores, small, spec["threshold"]).tolist())
        rows.append(row)
    out = os.path.join(os.path.dirname(os.path.abspath(__file__)), "keep-lists.json")
    versions = dict(python=sys.version.split()[0], torch=torch.__version__, torchvision=torchvision.__version__)
    with open(out, "w") as file:
        file.write('{"versions":' + json.dumps(versions) + ',"sets":[\n')
        file.write(",\n".join(json.dumps(row, separators=(",", ":")) for row in rows))
        file.write("\n]}\n")


main()
