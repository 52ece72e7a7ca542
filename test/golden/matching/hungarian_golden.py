"""1000 assignment problems up to 300x300 solved by scipy, and DETR's cost restated: python hungarian_golden.py."""
import json
import os

import numpy as np
import scipy
import torch
from scipy.optimize import linear_sum_assignment
from torchvision.ops import generalized_box_iou

import sets
from seeded import integers, uniform

totals, digests, steps = [], [], []
for k in range(1000):
    rows, columns = (integers(70_000 + k, 2, 300) + 1).tolist()
    kind = k % 4
    if kind == 3:  # small whole numbers: many optima
        cost = integers(80_000 + k, rows * columns, 7).astype(np.float64)
    else:
        cost = uniform(80_000 + k, rows * columns, *[(0, 1), (-8, 8), (0, 200)][kind])
    r, c = linear_sum_assignment(cost.reshape(rows, columns))
    totals.append(float(cost.reshape(rows, columns)[r, c].sum()))
    digests.append(sets.digest(np.concatenate([r, c])) & 0x7FFFFFFF)

detr = []
for i, (queries, count, classes) in enumerate([(100, 7, 5), (300, 30, 8), (20, 35, 3)]):
    seed = 90_000 + 100 * i
    gts = sets.ground_truths(seed, count, 640, 480).astype(np.float64)
    points = np.stack([uniform(seed + 20, queries, 0, 1) * 640, uniform(seed + 21, queries, 0, 1) * 480], 1)
    boxes, _ = sets.predictions(seed + 30, points, gts.astype(np.float32), 1)
    logits = uniform(seed + 40, queries * (classes + 1), -4, 4).reshape(queries, classes + 1)
    labels = sets.integers(seed + 7, count, classes)
    size = torch.tensor([640.0, 480.0, 640.0, 480.0], dtype=torch.float64)
    pred, target = torch.from_numpy(boxes.astype(np.float64)), torch.from_numpy(gts)

    def cxcywh(b):
        b = b / size
        return torch.stack([(b[:, 0] + b[:, 2]) / 2, (b[:, 1] + b[:, 3]) / 2, b[:, 2] - b[:, 0], b[:, 3] - b[:, 1]], 1)

    l1 = torch.cdist(cxcywh(pred), cxcywh(target), p=1)
    giou = generalized_box_iou(pred, target)
    x = torch.from_numpy(logits)
    soft = -x.softmax(-1)[:, labels]
    p = x.sigmoid()[:, labels]
    focal = 0.25 * (1 - p) ** 2 * -(p + 1e-8).log() - 0.75 * p**2 * -(1 - p + 1e-8).log()
    entry = {"seed": seed, "queries": queries, "count": count, "classes": classes}
    for name, cost, repeats in [("detr", soft + 5 * l1 - 2 * giou, 1), ("deformable-detr", 2 * focal + 5 * l1 - 2 * giou, 1), ("topk", 2 * focal + 5 * l1 - 2 * giou, max(1, min(3, queries // count)))]:
        r, c = linear_sum_assignment(cost.repeat(1, repeats).numpy())
        index = np.full(queries, -1)
        index[r] = c % count
        entry[name] = {"total": float(cost.repeat(1, repeats).numpy()[r, c].sum()), "index": index.tolist()}
    detr.append(entry)

with open(os.path.join(os.path.dirname(__file__), "hungarian.json"), "w") as file:
    json.dump({"versions": sets.versions(scipy, torch, np), "totals": round(sum(totals), 9), "some": totals[:20], "digest": sets.digest(digests), "first": digests[:40], "detr": detr}, file, separators=(",", ":"))
    file.write("\n")
