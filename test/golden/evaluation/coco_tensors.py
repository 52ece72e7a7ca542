"""pycocotools' tensors on seeded sets with areas on the borders of the ranges, more detections than count and other
parameters than the defaults: writes coco-tensors.json. coco-tensors.ts makes the same sets.

Run: python3 coco_tensors.py      (needs pycocotools; its version is written into the file)
"""
import contextlib
import importlib.metadata
import io
import json
import os

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from detection_sets import Draw, here

SIZES = ((32, 32), (96, 96), (16, 64), (48, 192), (31, 33))  # areas 1024, 9216, 1024, 9216, 1023
PARAMETERS = {
    "default": {},
    "limits": {"maxDets": [1, 3, 7]},
    "thresholds": {"iouThrs": [0.3, 0.5, 0.8], "recThrs": [0.0, 0.25, 0.5, 1.0]},
}


def make(seed):
    d = Draw(seed)
    images = [{"id": i, "width": 640, "height": 480} for i in (7, 2, 5)]  # not in order
    annotations, results = [], []

    def box():
        w, h = SIZES[d.below(5)] if d.below(2) else (4 + d.below(220), 4 + d.below(220))
        return [d.below(400), d.below(250), w, h]

    for image in images:
        for _ in range(2 + d.below(9)):
            x, y, w, h = box()
            annotations.append({"id": len(annotations) + 1, "image_id": image["id"], "category_id": 1 + d.below(2), "bbox": [x, y, w, h],
                                "area": w * h, "iscrowd": int(d.below(7) == 0)})
        own = [a for a in annotations if a["image_id"] == image["id"]]
        for _ in range(90 + d.below(60)):
            if d.below(3) == 0:
                a = own[d.below(len(own))]
                x, y, w, h = a["bbox"]
                bbox, category = [x + d.below(7), y + d.below(7), w + d.below(5), h + d.below(5)], a["category_id"]
            else:
                bbox, category = box(), 1
            results.append({"image_id": image["id"], "category_id": category, "bbox": bbox, "score": (1 + d.below(64)) / 64})
    return {"images": images, "annotations": annotations, "categories": [{"id": c} for c in (4, 1, 2)]}, results  # 4 stays empty


def tensors(seed, parameters):
    dataset, results = make(seed)
    gt = COCO()
    gt.dataset = dataset
    with contextlib.redirect_stdout(io.StringIO()):
        gt.createIndex()
        e = COCOeval(gt, gt.loadRes(results), "bbox")
        for name, value in parameters.items():
            setattr(e.params, name, np.array(value) if name.endswith("Thrs") else value)
        e.evaluate()
        e.accumulate()
        if not parameters:
            e.summarize()
    p, r, s = (e.eval[k] for k in ("precision", "recall", "scores"))
    # every entry of recall; of the two larger ones a weighted sum an area and limit, which no wrong entry leaves alone
    weights = 1 + np.arange(p.shape[0] * p.shape[1] * p.shape[2]).reshape(p.shape[:3]) % 97
    sums = lambda t: np.einsum("trkam,trk->am", t, weights).ravel().tolist()  # noqa: E731
    per_class = [float(np.mean(p[:, :, k, 0, -1])) for k in range(p.shape[2])]
    out = {"shape": list(p.shape), "recall": r.ravel().tolist(), "precision": sums(p), "scores": sums(s), "perClass": per_class}
    if not parameters:
        out["stats"] = e.stats.tolist()
    return out


sets = [{"seed": seed, **{name: tensors(seed, p) for name, p in PARAMETERS.items()}} for seed in range(1, 13)]
with open(os.path.join(here, "coco-tensors.json"), "w") as f:
    json.dump({"pycocotools": importlib.metadata.version("pycocotools"), "sets": sets}, f)
print(len(sets), "sets")
