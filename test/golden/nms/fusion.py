"""Box fusion by ensemble-boxes, supervision and SAHI on seeded sets: writes fusion.json.

Three models are every third box of a `detector` set, divided by 1500 (float64, distinct scores). Merging runs on the set in
pixels (float32). An output holds its length, sums and first rows.

Run: pip install ensemble-boxes==1.0.9 supervision==0.31.2 shapely && pip install --no-deps sahi==0.12.8; python3 fusion.py
"""
import importlib.metadata
import json
import os

import numpy as np
import supervision as sv
from ensemble_boxes import non_maximum_weighted, weighted_boxes_fusion
from sahi.postprocess._numpy_backend import greedy_nmm_numpy, nmm_numpy

from sets import make_set

SETS = [(7001, 60, 1), (7002, 150, 3), (7003, 300, 2), (7004, 33, 5), (7005, 500, 4), (7006, 3, 1)]


def summary(boxes, scores, labels):
    order = np.argsort(-scores, kind="stable")
    boxes, scores, labels = np.asarray(boxes, np.float64)[order], scores[order], labels[order]
    rows = [[*map(float, b), float(s), int(l)] for b, s, l in zip(boxes[:8], scores, labels)]
    return dict(
        count=len(scores),
        coordinates=float(boxes.sum()),
        scores=float(np.asarray(scores, np.float64).sum()),
        labels=int(labels.sum()),
        rows=[[round(v, 8) for v in row] for row in rows],
    )


def models_of(seed, count, classes):
    boxes, scores, ids = make_set(seed, "detector", count, classes)
    boxes = boxes.astype(np.float64) / 1500
    scores = scores.astype(np.float64)
    ids = np.abs(ids) % 7
    return [boxes[m::3] for m in range(3)], [scores[m::3] for m in range(3)], [ids[m::3] for m in range(3)]


def iou_matrix(a, b):
    lt, rb = np.maximum(a[:, None, :2], b[None, :, :2]), np.minimum(a[:, None, 2:], b[None, :, 2:])
    inter = np.clip(rb - lt, 0, None).prod(2)
    area = lambda x: (x[:, 2] - x[:, 0]) * (x[:, 3] - x[:, 1])
    return inter, area(a)[:, None], area(b)[None]


def sahi(boxes, scores, ids, metric, threshold, func):
    """combine.py's _apply_merge restated on arrays: a member must still match the union grown so far."""
    out, labels, confidences = [], [], []
    for label in np.unique(ids):
        members = np.where(ids == label)[0]
        predictions = np.concatenate([boxes[members], scores[members, None], ids[members, None]], 1).astype(np.float64)
        for keep, merged in func(predictions, metric, threshold).items():
            union = predictions[keep, :4].copy()
            for m in merged:
                inter, a, b = iou_matrix(union[None], predictions[m : m + 1, :4])
                value = inter / (a + b - inter) if metric == "IOU" else inter / np.minimum(a, b)
                if value[0, 0] >= threshold:
                    union[:2] = np.minimum(union[:2], predictions[m, :2])
                    union[2:] = np.maximum(union[2:], predictions[m, 2:4])
            out.append(union)
            labels.append(label)
            confidences.append(predictions[keep, 4])
    return summary(np.array(out), np.array(confidences), np.array(labels))


def main():
    fused = []
    for seed, count, classes in SETS:
        boxes, scores, labels = models_of(seed, count, classes)
        for weights in (None, [2, 1, 0.5]):
            args = lambda: ([b.copy() for b in boxes], [s.copy() for s in scores], [l.copy() for l in labels])
            row = dict(seed=seed, count=count, classes=classes, weights=weights)
            for conf in ("avg", "max", "box_and_model_avg", "absent_model_aware_avg"):
                row[conf] = summary(*weighted_boxes_fusion(*args(), weights=weights, conf_type=conf))
            row["overflow"] = summary(*weighted_boxes_fusion(*args(), weights=weights, allows_overflow=True))
            row["skip"] = summary(*weighted_boxes_fusion(*args(), weights=weights, skip_box_thr=0.4, iou_thr=0.7))
            row["nmw"] = summary(*non_maximum_weighted(*args(), weights=weights))
            fused.append(row)
    merged = []
    for seed, count, classes in SETS:
        boxes, scores, ids = make_set(seed, "detector", count, classes)
        ids = np.abs(ids) % 7
        for metric in ("IOU", "IOS"):
            for threshold in (0.3, 0.5, 0.8):
                overlap = getattr(sv.OverlapMetric, metric)
                detections = sv.Detections(xyxy=boxes, confidence=scores, class_id=ids.astype(int))
                row = dict(seed=seed, count=count, classes=classes, metric=metric, threshold=threshold)
                for agnostic in (False, True):
                    r = detections.with_nmm(threshold, class_agnostic=agnostic, overlap_metric=overlap)
                    row["agnostic" if agnostic else "classAware"] = summary(r.xyxy, r.confidence, r.class_id)
                row["greedyNmm"] = sahi(boxes, scores, ids, metric, threshold, greedy_nmm_numpy)
                row["nmm"] = sahi(boxes, scores, ids, metric, threshold, nmm_numpy)
                merged.append(row)
    versions = {name: importlib.metadata.version(name) for name in ("ensemble-boxes", "supervision", "sahi", "numpy")}
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "fusion.json")
    with open(path, "w") as file:
        file.write('{"versions":' + json.dumps(versions) + ',\n"fused":[\n')
        file.write(",\n".join(json.dumps(row, separators=(",", ":")) for row in fused))
        file.write('],\n"merged":[\n')
        file.write(",\n".join(json.dumps(row, separators=(",", ":")) for row in merged))
        file.write("]}\n")


main()
