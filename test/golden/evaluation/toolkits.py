"""Confusion matrices and confidence curves of the training toolkits on seeded sets: writes toolkits.json, one toolkit a
run into what is there.

Run with each toolkit installed (torch is needed for ultralytics only):
    python3 toolkits.py ultralytics     # 8.4.190, and again with 8.3.63
    python3 toolkits.py supervision     # 0.31.2
"""
import importlib.metadata
import json
import os
import sys

import numpy as np

from detection_sets import CATEGORIES, IMAGES, detection_set, here

SEEDS = range(1, 21)
RANK = {c: k for k, (c, _) in enumerate(CATEGORIES)}
NAMES = {k: f"class {c}" for k, (c, _) in enumerate(CATEGORIES)}


def images_of(seed):
    """Per image: truths [N, 5] and detections [M, 6] (xyxy, class, score), best score first."""
    dataset, results = detection_set(seed, False)
    for i in range(1, IMAGES + 1):
        truths = [[x, y, x + w, y + h, RANK[a["category_id"]]] for a in dataset["annotations"] if a["image_id"] == i and not a["iscrowd"] for x, y, w, h in [a["bbox"]]]
        found = [[x, y, x + w, y + h, RANK[r["category_id"]], r["score"]] for r in results if r["image_id"] == i for x, y, w, h in [r["bbox"]]]
        found.sort(key=lambda r: -r[5])
        yield np.array(truths).reshape(-1, 5), np.array(found).reshape(-1, 6)


def ultralytics_set(seed, version):
    import torch
    from ultralytics.engine.validator import BaseValidator
    from ultralytics.utils.metrics import ConfusionMatrix, ap_per_class, box_iou

    new = version >= (8, 4)
    matrix = ConfusionMatrix(names=NAMES) if new else ConfusionMatrix(nc=len(NAMES))
    validator = BaseValidator.__new__(BaseValidator)
    validator.iouv = torch.linspace(0.5, 0.95, 10)
    correct, scores, classes, targets = [], [], [], []
    for truths, found in images_of(seed):
        t, f = torch.tensor(truths, dtype=torch.float32), torch.tensor(found, dtype=torch.float32)
        if new:
            matrix.process_batch({"bboxes": f[:, :4], "conf": f[:, 5], "cls": f[:, 4]}, {"bboxes": t[:, :4], "cls": t[:, 4]}, conf=0.25, iou_thres=0.45)
        else:
            matrix.process_batch(f[:, [0, 1, 2, 3, 5, 4]] if len(f) else None, t[:, :4], t[:, 4])
        if len(t) and len(f):
            correct.append(validator.match_predictions(f[:, 4], t[:, 4], box_iou(t[:, :4], f[:, :4])).numpy())
        else:
            correct.append(np.zeros((len(f), 10), dtype=bool))
        scores.append(found[:, 5])
        classes.append(found[:, 4])
        targets.append(truths[:, 4])
    result = ap_per_class(np.concatenate(correct).astype(float), np.concatenate(scores), np.concatenate(classes), np.concatenate(targets))
    p, r, f1, ap, present, p_curve, r_curve, f1_curve, x = result[2:11]
    picks = [0, 50, 250, 500, 750, 999]
    mean = f1_curve.mean(0)
    at = int(np.argmin(np.abs(f1_curve - f1[:, None]).sum(0) + np.abs(p_curve - p[:, None]).sum(0) + np.abs(r_curve - r[:, None]).sum(0)))
    return {
        "confusion": matrix.matrix.astype(int).tolist(),
        "classes": present.tolist(),
        "at": at,
        "f1": f1.tolist(),
        "meanF1": float(mean[at]),
        "curves": {"picks": picks, "precision": p_curve[:, picks].tolist(), "recall": r_curve[:, picks].tolist()},
        "ap50": ap[:, 0].tolist(),
    }


def supervision_set(seed):
    from supervision.metrics.detection import ConfusionMatrix

    pairs = list(images_of(seed))
    matrix = ConfusionMatrix.from_tensors([f for _, f in pairs], [t for t, _ in pairs], list(NAMES.values()))
    return {"confusion": matrix.matrix.astype(int).tolist()}


toolkit = sys.argv[1]
version = importlib.metadata.version(toolkit)
if toolkit == "ultralytics":
    parts = tuple(int(n) for n in version.split(".")[:2])
    sets = [ultralytics_set(seed, parts) for seed in SEEDS]
else:
    sets = [supervision_set(seed) for seed in SEEDS]
path = os.path.join(here, "toolkits.json")
content = json.load(open(path)) if os.path.exists(path) else {}
content[f"{toolkit} {version}"] = {"seeds": list(SEEDS), "sets": sets}
with open(path, "w") as f:
    json.dump(content, f)
print(toolkit, version, len(sets), "sets")
