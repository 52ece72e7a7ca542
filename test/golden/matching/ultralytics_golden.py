"""Assignments by ultralytics' own code: TaskAlignedAssigner and YOLOv5's build_targets.

pip install --no-deps ultralytics==8.3.40 yolov5==7.0.14 tqdm py-cpuinfo; python ultralytics_golden.py (BOXOPS_TEST_DATA for
the real sets). What the packages import for drawing and video is replaced by stubs.
"""
import importlib.util
import json
import os
import sys
from unittest.mock import MagicMock

import numpy as np
import torch

DRAWING = ["cv2", "matplotlib", "pandas", "seaborn", "git", "thop", "boto3", "fire", "sahi", "huggingface_hub"]
for name in DRAWING:
    if importlib.util.find_spec(name) is None:
        for part in (name, *(["matplotlib.pyplot", "matplotlib.patches", "matplotlib.image"] if name == "matplotlib" else [])):
            sys.modules[part] = MagicMock()

import ultralytics  # noqa: E402
from ultralytics.utils.tal import TaskAlignedAssigner  # noqa: E402
from yolov5 import __version__ as yolov5_version  # noqa: E402
from yolov5.utils.loss import ComputeLoss  # noqa: E402

import sets  # noqa: E402

torch.set_num_threads(1)
CLASSES = 5
STRIDES = (8, 16, 32)
ANCHORS = [[10, 13, 16, 30, 33, 23], [30, 61, 62, 45, 59, 119], [116, 90, 156, 198, 373, 326]]


def points_of(width, height):
    out = []
    for s in STRIDES:
        w, h = -(-width // s), -(-height // s)
        y, x = np.meshgrid(np.arange(h), np.arange(w), indexing="ij")
        out.append((np.stack([x.reshape(-1), y.reshape(-1)], 1) + 0.5) * s)
    return np.concatenate(out).astype(np.float64)


def task_aligned(width, height, gts, labels, seed):
    points = points_of(width, height)
    boxes, scores = sets.predictions(seed + 100, points, gts, CLASSES)
    assigner = TaskAlignedAssigner(topk=10, num_classes=CLASSES, alpha=0.5, beta=6.0)
    _, _, target_scores, mask, index = assigner(
        torch.from_numpy(scores)[None],
        torch.from_numpy(boxes)[None],
        torch.from_numpy(points.astype(np.float32)),
        torch.tensor(labels)[None, :, None],
        torch.from_numpy(gts)[None],
        torch.ones(1, len(gts), 1),
    )
    index = torch.where(mask[0].bool(), index[0], torch.full_like(index[0], -1))
    weights = target_scores[0].double().amax(1)
    positive = torch.where(index >= 0)[0]
    return {"positives": len(positive), "digest": sets.digest(index.numpy()), "weightSum": float(weights.sum()), "weights": weights[positive[:6]].tolist()}


def build_targets(width, height, gts):
    loss = object.__new__(ComputeLoss)
    loss.na, loss.nl, loss.device, loss.hyp = 3, 3, "cpu", {"anchor_t": 4.0}
    loss.anchors = torch.stack([torch.tensor(a).float().view(-1, 2) / s for a, s in zip(ANCHORS, STRIDES)])
    maps = [(-(-width // s), -(-height // s)) for s in STRIDES]
    p = [torch.zeros(1, 3, h, w, 6) for w, h in maps]
    g = torch.from_numpy(gts.astype(np.float64))
    size = torch.tensor([maps[0][0] * 8, maps[0][1] * 8], dtype=torch.float64)
    xywh = torch.cat(((g[:, :2] + g[:, 2:]) / 2 / size, (g[:, 2:] - g[:, :2]) / size), 1)
    # the class stands for the box, so that it comes back
    targets = torch.cat((torch.zeros(len(g), 1), torch.arange(len(g))[:, None].double(), xywh), 1).float()
    classes, _, indices, _ = loss.build_targets(p, targets)
    priors, start = [], 0
    for (w, h), (_, a, gj, gi) in zip(maps, indices):
        priors.append(start + (gj * w + gi) * 3 + a)
        start += w * h * 3
    priors, owners = torch.cat(priors), torch.cat(classes)
    return {"pairs": len(priors), "digest": sets.digest(np.concatenate([priors.numpy(), owners.numpy()]))}


random = []
for i, (w, h, n) in enumerate([(320, 256, 1), (320, 256, 6), (640, 480, 20), (640, 640, 60), (256, 512, 120)]):
    seed = 5000 + 1000 * i
    gts = sets.ground_truths(seed, n, w, h)
    labels = sets.integers(seed + 7, n, CLASSES).tolist()
    random.append({"seed": seed, "width": w, "height": h, "count": n, "tal": task_aligned(w, h, gts, labels, seed), "yolov5": build_targets(w, h, gts)})

real = []
for name, images in sets.real_sets() if sets.DATA else []:
    tal, v5, positives, pairs = [], [], 0, 0
    for i, (w, h, boxes, classes) in enumerate(images):
        # as the loaders do: to whole strides of 32
        w, h = sets.padded(w), sets.padded(h)
        a = task_aligned(w, h, boxes, [c % CLASSES for c in classes], 20000 + 1000 * i)
        b = build_targets(w, h, boxes)
        tal.append(a["digest"] & 0x7FFFFFFF)
        v5.append(b["digest"] & 0x7FFFFFFF)
        positives += a["positives"]
        pairs += b["pairs"]
    real.append({"set": name, "images": len(images), "tal": {"positives": positives, "digest": sets.digest(tal)}, "yolov5": {"pairs": pairs, "digest": sets.digest(v5)}})

with open(os.path.join(os.path.dirname(__file__), "ultralytics.json"), "w") as file:
    versions = sets.versions(torch, ultralytics, np) | {"yolov5": yolov5_version}
    json.dump({"versions": versions, "random": random, "real": real}, file, separators=(",", ":"))
    file.write("\n")
