"""LVIS, VOC, TIDE and LRP on seeded sets: writes protocols.json.

LVIS is lvis-api's LVISEval, TIDE is tidecv, COCO without categories is pycocotools; VOC restates py-faster-rcnn's
voc_eval (Everingham et al. 2010) and LRP the definition of Oksuz et al. (TPAMI 2021) on pycocotools' matches.

Run: python3 protocols.py    (needs lvis 0.5.3, tidecv 1.0.1, pycocotools; versions are written into the file)
"""
import contextlib
import copy
import importlib.metadata
import io
import json
import logging
import os
import tempfile

import numpy as np

for name, kind in (("float", float), ("int", int), ("bool", bool)):
    if name not in np.__dict__:
        setattr(np, name, kind)  # lvis and tidecv use the aliases of numpy before 1.24

from lvis import LVIS, LVISEval, LVISResults  # noqa: E402
from pycocotools import mask as M  # noqa: E402
from pycocotools.coco import COCO  # noqa: E402
from pycocotools.cocoeval import COCOeval  # noqa: E402
from tidecv import TIDE, Data  # noqa: E402

from detection_sets import CATEGORIES, HEIGHT, WIDTH, detection_set, here  # noqa: E402

logging.disable(logging.CRITICAL)
SEEDS = range(1, 41)


def lvis(dataset, results, kind, limit):
    results = copy.deepcopy(results)
    if kind == "segm":  # with a box beside it, the box would decide how large a mask is
        results = [{**r, "segmentation": M.merge(M.frPyObjects(r["segmentation"], HEIGHT, WIDTH))} for r in results]
        for r in results:
            del r["bbox"]
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(dataset, file)
        file.flush()
        gt = LVIS(file.name)
        e = LVISEval(gt, LVISResults(gt, results, max_dets=limit), kind)
        e.run()
    return [float(v) for v in e.get_results().values()]


def voc_ap(rec, prec, use_07):
    if use_07:
        return sum(max((p for r, p in zip(rec, prec) if r >= t), default=0.0) for t in np.arange(0.0, 1.1, 0.1)) / 11
    mrec = np.concatenate(([0.0], rec, [1.0]))
    mpre = np.concatenate(([0.0], prec, [0.0]))
    for i in range(mpre.size - 1, 0, -1):
        mpre[i - 1] = max(mpre[i - 1], mpre[i])
    i = np.where(mrec[1:] != mrec[:-1])[0]
    return float(np.sum((mrec[i + 1] - mrec[i]) * mpre[i + 1]))


def voc(dataset, results, category, threshold, offset):
    """py-faster-rcnn voc_eval: [all-point, 11-point], or None without objects."""
    objects = {}
    positives = 0
    for image in dataset["images"]:
        rows = [a for a in dataset["annotations"] if a["image_id"] == image["id"] and a["category_id"] == category]
        difficult = np.array([bool(a["difficult"] or a["iscrowd"]) for a in rows], dtype=bool)
        positives += int((~difficult).sum())
        objects[image["id"]] = (np.array([a["bbox"] for a in rows], dtype=float).reshape(-1, 4), difficult, [False] * len(rows))
    if positives == 0:
        return None
    # ties by image, then in file order
    rows = sorted((r for r in results if r["category_id"] == category), key=lambda r: r["image_id"])
    rows.sort(key=lambda r: -r["score"])
    tp, fp = np.zeros(len(rows)), np.zeros(len(rows))
    for d, r in enumerate(rows):
        boxes, difficult, seen = objects[r["image_id"]]
        best = -np.inf
        if len(boxes):
            x, y, w, h = r["bbox"]
            iw = np.maximum(np.minimum(x + w, boxes[:, 0] + boxes[:, 2]) - np.maximum(x, boxes[:, 0]) + offset, 0)
            ih = np.maximum(np.minimum(y + h, boxes[:, 1] + boxes[:, 3]) - np.maximum(y, boxes[:, 1]) + offset, 0)
            inter = iw * ih
            union = (w + offset) * (h + offset) + (boxes[:, 2] + offset) * (boxes[:, 3] + offset) - inter
            overlaps = inter / union
            best, j = overlaps.max(), int(overlaps.argmax())
        if best > threshold:
            if not difficult[j]:
                if not seen[j]:
                    tp[d], seen[j] = 1, True
                else:
                    fp[d] = 1
        else:
            fp[d] = 1
    counted = (tp + fp) > 0
    tp, fp = np.cumsum(tp[counted]), np.cumsum(fp[counted])
    rec, prec = tp / positives, tp / np.maximum(tp + fp, np.finfo(np.float64).eps)
    return [voc_ap(rec, prec, False), voc_ap(rec, prec, True)]


def tide(dataset, results):
    gt, dt = Data("gt", max_dets=100), Data("dt")
    for image in dataset["images"]:
        gt.add_image(image["id"], str(image["id"]))
    for c in dataset["categories"]:
        gt.add_class(c["id"], c["name"])
    for a in dataset["annotations"]:
        add = gt.add_ignore_region if a["iscrowd"] else gt.add_ground_truth
        add(a["image_id"], a["category_id"], a["bbox"])
    for r in results:
        dt.add_detection(r["image_id"], r["category_id"], r["score"], r["bbox"])
    t = TIDE()
    run = t.evaluate(gt, dt, mode=TIDE.BOX, name="x")
    counts = {k.short_name: v for k, v in run.count_errors().items()}
    return {"ap": run.ap, "counts": counts, "main": t.get_main_errors()["x"], "special": t.get_special_errors()["x"]}


def coco(dataset, results):
    gt = COCO()
    gt.dataset = copy.deepcopy(dataset)
    gt.createIndex()
    return gt, gt.loadRes([{k: v for k, v in r.items() if k != "segmentation"} for r in copy.deepcopy(results)])


def lrp(dataset, results):
    gt, dt = coco(dataset, results)
    e = COCOeval(gt, dt, "bbox")
    e.params.iouThrs = np.array([0.5])
    e.params.areaRng, e.params.areaRngLbl, e.params.maxDets = [[0, 1e10]], ["all"], [100]
    e.evaluate()
    per_class = []
    for k, category in enumerate(e.params.catIds):
        cells = [c for c in e.evalImgs[k * len(e.params.imgIds) : (k + 1) * len(e.params.imgIds)] if c is not None]
        objects = sum(int((np.array(c["gtIgnore"]) == 0).sum()) for c in cells)
        if objects == 0:
            per_class.append(None)
            continue
        rows = []
        for c in cells:
            # columns of ious follow the file's order of the annotations
            order = [a["id"] for a in e._gts[c["image_id"], c["category_id"]]]
            for n, score in enumerate(c["dtScores"]):
                if c["dtIgnore"][0][n]:
                    continue
                match = int(c["dtMatches"][0][n])
                rows.append((score, e.ious[c["image_id"], c["category_id"]][n, order.index(match)] if match else None))
        rows.sort(key=lambda r: -r[0])
        tp = np.cumsum([iou is not None for _, iou in rows]).astype(float)
        fp = np.cumsum([iou is None for _, iou in rows]).astype(float)
        loc = np.cumsum([0 if iou is None else 1 - iou for _, iou in rows])
        if len(rows) == 0 or tp[-1] == 0:
            per_class.append([1, None, None, 1, None])
            continue
        error = (loc / 0.5 + fp + objects - tp) / (fp + objects)
        i = int(np.argmin(error))
        per_class.append([error[i], loc[i] / tp[i], fp[i] / (tp[i] + fp[i]), 1 - tp[i] / objects, rows[i][0]])
    return per_class


def agnostic(dataset, results):
    gt, dt = coco(dataset, results)
    e = COCOeval(gt, dt, "bbox")
    e.params.useCats = 0
    e.evaluate()
    e.accumulate()
    e.summarize()
    return e.stats.tolist()


sets = []
for seed in SEEDS:
    ties = seed % 2 == 0
    dataset, results = detection_set(seed, ties)
    with contextlib.redirect_stdout(io.StringIO()):
        sets.append({
            "seed": seed,
            "ties": ties,
            "lvis": {"bbox": lvis(dataset, results, "bbox", 300), "bbox5": lvis(dataset, results, "bbox", 5), "segm": lvis(dataset, results, "segm", 300)},
            "voc": [[voc(dataset, results, c, 0.5, 1), voc(dataset, results, c, 0.3, 0)] for c, _ in CATEGORIES],
            "tide": tide(dataset, results),
            "lrp": lrp(dataset, results),
            "agnostic": agnostic(dataset, results),
        })
versions = {p: importlib.metadata.version(p) for p in ("lvis", "tidecv", "pycocotools", "numpy")}
with open(os.path.join(here, "protocols.json"), "w") as f:
    json.dump({"versions": versions, "sets": sets}, f)
print(versions, len(sets), "sets")
