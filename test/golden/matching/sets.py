"""Seeded ground truths, predictions and digests for the matching goldens: the twin of sets.ts."""
import json
import os
import sys

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
from seeded import integers, mix, uniform  # noqa: E402

DATA = os.environ.get("BOXOPS_TEST_DATA", "")


def ground_truths(seed, count, width, height):
    """count boxes from 4 pixels to 60 % of the image, float32 corners."""
    x1 = uniform(seed, count, 0, 1) * (width * 0.95)
    y1 = uniform(seed + 1, count, 0, 1) * (height * 0.95)
    u = uniform(seed + 2, count, 0, 1)
    v = uniform(seed + 3, count, 0.5, 2)
    w = 4 + u * u * (width * 0.5)
    h = 4 + u * u * (height * 0.5) * v
    return np.stack([x1, y1, np.minimum(x1 + w, width), np.minimum(y1 + h, height)], 1).astype(np.float32)


def predictions(seed, points, ground, classes):
    """A box a point: of the ground truth with a seeded number, jittered, for most; scores in (0, 1)."""
    n = len(points)
    near = ((points[:, None] - (ground[None, :, :2] + ground[None, :, 2:]).astype(np.float64) / 2) ** 2).sum(2)
    own = near.argmin(1)
    jitter = np.stack([uniform(seed + k, n, -0.3, 0.3) for k in range(4)], 1)
    box = ground[own].astype(np.float64)
    size = np.stack([box[:, 2] - box[:, 0], box[:, 3] - box[:, 1]] * 2, 1)
    boxes = (box + jitter * size).astype(np.float32)
    scores = (uniform(seed + 9, n * classes, 0.01, 0.99)).astype(np.float32).reshape(n, classes)
    return boxes, scores


def digest(values):
    """32 bits that depend on every value and its place."""
    v = np.asarray(values, dtype=np.int64).reshape(-1)
    h = mix(mix(np.arange(len(v))) ^ (v & 0xFFFFFFFF).astype(np.uint32))
    return int(h.astype(np.uint64).sum() & np.uint64(0xFFFFFFFF))


def float_digest(values):
    bits = (np.ascontiguousarray(values, dtype=np.float32) + np.float32(0)).reshape(-1).view(np.int32)
    return digest(bits)


def real_sets():
    """Name and (width, height, boxes float32, class ids) of each image of the real annotation files, crowds left out."""
    files = [("pills", "data/pills/train/_annotations.coco.json"), ("coco", "data/coco-eval-100/instances_val2014_100.json")]
    for name, path in files:
        with open(os.path.join(DATA, path)) as file:
            coco = json.load(file)
        by_image = {}
        for a in coco["annotations"]:
            if not a.get("iscrowd") and a["bbox"][2] > 0 and a["bbox"][3] > 0:
                by_image.setdefault(a["image_id"], []).append(a)
        images = []
        for image in coco["images"]:
            rows = by_image.get(image["id"], [])
            if rows:
                b = np.array([r["bbox"] for r in rows], dtype=np.float64)
                b[:, 2:] += b[:, :2]
                images.append((image["width"], image["height"], b.astype(np.float32), [r["category_id"] for r in rows]))
        yield name, images


def padded(side, stride=32):
    return -(-side // stride) * stride


def versions(*modules):
    return {m.__name__: m.__version__ for m in modules} | {"python": sys.version.split()[0]}
