"""Golden values for src/masks from pycocotools: codec, merge, area, box, overlap, polygons, boxes, keypoint similarity.

Inputs come from the linear congruential generator of ../boxes/sequence.ts; masks.ts builds the same ones. Large results
are kept as area, box and the compressed string of their runs.

Run in an environment with pycocotools:  python generate.py      (versions are written into the file)
"""
import json
import os
import sys
from importlib.metadata import version

import numpy as np
from pycocotools import mask as coco
from pycocotools.cocoeval import COCOeval, Params

HEIGHT, WIDTH = 37, 53


class Sequence:
    def __init__(self, seed):
        self.state = seed

    def below(self, bound):
        self.state = (1664525 * self.state + 1013904223) % 2**32
        return (self.state >> 8) % bound


def bitmap(seed):
    """Noise, blocks, all or nothing, by the seed modulo 4; row-major."""
    s = Sequence(seed)
    kind = seed % 4
    pixels = np.zeros((HEIGHT, WIDTH), np.uint8)
    if kind == 0:
        for y in range(HEIGHT):
            for x in range(WIDTH):
                pixels[y, x] = s.below(3) == 0
    elif kind == 3:
        pixels[:] = 1 if seed % 8 == 3 else 0
    else:
        for _ in range(4):
            x, y, w, h = s.below(WIDTH), s.below(HEIGHT), 1 + s.below(25), 1 + s.below(20)
            pixels[y:y + h, x:x + w] = 1
    return pixels


def text(rle):
    return rle["counts"].decode()


def polygon(s, points, low, high):
    return [low + s.below((high - low) * 100) / 100 for _ in range(2 * points)]


def pose(s, count):
    return [v for _ in range(count) for v in (s.below(20000) / 100, s.below(20000) / 100, s.below(3))]


def keypoints():
    s = Sequence(99)
    k = 17
    gts, dts = [], []
    for j in range(5):
        g = pose(s, k)
        if j == 3:
            g[2::3] = [0] * k
        box = [s.below(10000) / 100, s.below(10000) / 100, 1 + s.below(10000) / 100, 1 + s.below(10000) / 100]
        gts.append({"keypoints": g, "bbox": box, "area": box[2] * box[3] * 0.6 if j != 4 else 0.0})
    for i in range(6):
        base = gts[i % 5]["keypoints"]
        d = [v + (s.below(2000) - 1000) / 100 if n % 3 < 2 else 1 for n, v in enumerate(base)]
        dts.append({"keypoints": d, "score": 1 - i / 10})
    evaluator = COCOeval.__new__(COCOeval)
    evaluator.params = Params(iouType="keypoints")
    evaluator._gts, evaluator._dts = {(1, 1): gts}, {(1, 1): dts}
    return {
        "groundTruth": [v for g in gts for v in g["keypoints"]],
        "boxes": [v for g in gts for v in g["bbox"]],
        "areas": [g["area"] for g in gts],
        "detections": [v for d in dts for v in d["keypoints"]],
        "oks": [float(v) for v in evaluator.computeOks(1, 1).reshape(-1)],
    }


def main():
    seeds = list(range(1, 17))
    masks = [coco.encode(np.asfortranarray(bitmap(seed))) for seed in seeds]
    crowd = [seed % 3 == 0 for seed in seeds]
    shifts = Sequence(5)
    polygons = []
    for points, low, high, count in [(3, 0, 37, 8), (5, -20, 70, 12), (9, -5, 60, 12), (4, -300, 300, 4)]:
        for _ in range(count):
            polygons.append(polygon(shifts, points, low, high))
    polygons += [
        [1, 1, 3, 1, 3, 3, 1, 3],
        [0, 0, 53, 0, 53, 37, 0, 37],
        [5, 5, 5, 5, 20, 5, 20, 30, 20, 30, 5, 30],
        [4.5, 4.5, 4.5, 4.5, 4.5, 4.5],
        [10, 2, 10, 30, 10, 2],
        [-10, -10, -5, -10, -5, -5],
        [0, 0, 53, 37, 53, 0, 0, 37],
        [2.5, 3.5, 2.5, 36.5, 52.5, 36.5, 52.5, 3.5],
    ]
    rasters = [coco.frPyObjects([p], HEIGHT, WIDTH)[0] for p in polygons]
    boxes = [[shifts.below(7000) / 100 - 10, shifts.below(5000) / 100 - 10, shifts.below(4000) / 100, shifts.below(3000) / 100] for _ in range(20)]
    boxed = coco.frPyObjects(np.array(boxes, dtype=np.double), HEIGHT, WIDTH)
    golden = {
        "versions": {"python": sys.version.split()[0], "numpy": np.__version__, "pycocotools": version("pycocotools")},
        "size": [HEIGHT, WIDTH],
        "masks": [
            {"seed": seed, "counts": text(m), "area": int(coco.area(m)), "bbox": coco.toBbox(m).tolist()}
            for seed, m in zip(seeds, masks)
        ],
        "crowd": [int(c) for c in crowd],
        "iou": coco.iou(masks, masks, [0] * len(masks)).reshape(-1).tolist(),
        "iouCrowd": coco.iou(masks, masks, [int(c) for c in crowd]).reshape(-1).tolist(),
        "union": [text(coco.merge(masks[i:i + 3], intersect=False)) for i in range(14)],
        "intersection": [text(coco.merge(masks[i:i + 2], intersect=True)) for i in range(15)],
        "polygons": [{"points": p, "counts": text(r), "bbox": coco.toBbox(r).tolist()} for p, r in zip(polygons, rasters)],
        "polygonUnion": text(coco.merge(rasters[:6])),
        "boxes": [{"xywh": b, "counts": text(r)} for b, r in zip(boxes, boxed)],
        "uncompressed": text(coco.frPyObjects({"size": [4, 4], "counts": [5, 2, 2, 2, 5]}, 4, 4)),
        "keypoints": keypoints(),
    }
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "masks.json"), "w") as file:
        json.dump(golden, file, separators=(",", ":"))
        file.write("\n")


main()
