"""Keep lists of torchvision.ops.nms on seeded box sets: writes keep-lists.json (count, hash, first and last indices).

Inputs are made by the integer generator of sets.py that sets.ts repeats. Class-aware lists come from one ops.nms a class and a
stable score sort (batched_nms is wrong for negative coordinates and does not order ties); batched_nms itself is
recorded only for the `integer` sets: non-negative, distinct scores, coordinates exact under its offset.

Run: OMP_NUM_THREADS=1 /usr/bin/python3 generate.py      (versions are written into the file)
"""
import json
import os
import sys

import torch
import torchvision
from torchvision.ops import batched_nms, nms

from sets import make_set

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
        boxes, scores, ids = map(torch.from_numpy, make_set(spec["seed"], spec["kind"], spec["count"], spec["classes"]))
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
