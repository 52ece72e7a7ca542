"""pycocotools' numbers on seeded random sets (crowds, tied scores, empty classes): writes coco.json.

The sets are made by ../seeded.py; coco-sets.ts makes the same ones.

Run: python3 coco.py      (needs pycocotools; its version is written into the file)
"""
import contextlib
import importlib.metadata
import io
import json
import os
import sys

from pycocotools import mask as M
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(here, ".."))
from seeded import integers  # noqa: E402

IMAGES, SIZE = 5, 200


class Draw:
    """Whole numbers below a bound, one after another."""

    def __init__(self, seed):
        self.values = integers(seed, 20000, 1 << 20).tolist()
        self.at = 0

    def below(self, bound):
        self.at += 1
        return self.values[self.at - 1] % bound


def polygon(x, y, w, h, kind):
    if kind == 0:
        return [x, y, x + w, y, x + w, y + h, x, y + h]
    return [x, y, x + w, y, x, y + h]


def make(seed):
    d = Draw(seed)
    images = [{"id": i + 1, "width": SIZE, "height": SIZE} for i in range(IMAGES)]
    categories = [{"id": c} for c in (1, 3, 7, 9)]  # 9 stays empty
    annotations, results = [], []
    for image in images:
        for _ in range(d.below(7)):
            x, y, w, h = d.below(120), d.below(120), 4 + d.below(76), 4 + d.below(76)
            category = (1, 3, 7)[d.below(3)]
            kind = d.below(2)
            crowd = int(d.below(6) == 0)
            points = []
            for _ in range(17):
                points += [x + d.below(w), y + d.below(h), d.below(3)]
            visible = sum(v > 0 for v in points[2::3])
            annotations.append({"id": len(annotations) + 1, "image_id": image["id"], "category_id": category, "bbox": [x, y, w, h], "area": w * h // (1 + kind), "iscrowd": crowd,
                                "segmentation": [polygon(x, y, w, h, kind)], "keypoints": points, "num_keypoints": visible})
            for _ in range(d.below(4)):
                jx, jy, jw, jh = x + d.below(9), y + d.below(9), max(2, w + d.below(11) - 5), max(2, h + d.below(11) - 5)
                moved = []
                for k in range(17):
                    moved += [points[3 * k] + d.below(7) - 3, points[3 * k + 1] + d.below(7) - 3, 1]
                results.append({"image_id": image["id"], "category_id": category if d.below(5) else 7, "bbox": [jx, jy, jw, jh], "score": (1 + d.below(8)) / 8,
                                "segmentation": polygon(jx, jy, jw, jh, kind), "keypoints": moved})
        for _ in range(d.below(3)):
            jx, jy, jw, jh = d.below(120), d.below(120), 4 + d.below(70), 4 + d.below(70)
            points = []
            for _ in range(17):
                points += [jx + d.below(jw), jy + d.below(jh), 1]
            results.append({"image_id": image["id"], "category_id": (1, 3, 7)[d.below(3)], "bbox": [jx, jy, jw, jh], "score": (1 + d.below(8)) / 8,
                            "segmentation": polygon(jx, jy, jw, jh, 0), "keypoints": points})
    return images, categories, annotations, results


def stats(seed, kind):
    images, categories, annotations, results = make(seed)
    rows = []
    for r in results:
        row = {"image_id": r["image_id"], "category_id": r["category_id"], "score": r["score"]}
        if kind == "bbox":
            row["bbox"] = r["bbox"]
        elif kind == "segm":
            row["segmentation"] = M.merge(M.frPyObjects([r["segmentation"]], SIZE, SIZE))
        else:
            row["keypoints"] = r["keypoints"]
        rows.append(row)
    if not rows:
        return None
    for a in annotations:
        a = a  # crowds keep polygons: annToRLE draws them all the same
    gt = COCO()
    gt.dataset = {"images": images, "categories": categories, "annotations": annotations}
    with contextlib.redirect_stdout(io.StringIO()):
        gt.createIndex()
        e = COCOeval(gt, gt.loadRes(rows), kind)
        e.evaluate()
        e.accumulate()
        e.summarize()
    return e.stats.tolist()


out = {"pycocotools": importlib.metadata.version("pycocotools"), "sets": []}
for seed in range(1, 101):
    kinds = {k: stats(seed, k) for k in ("bbox", "segm", "keypoints")}
    if all(kinds.values()):
        out["sets"].append({"seed": seed, **kinds})
with open(os.path.join(here, "coco.json"), "w") as f:
    json.dump(out, f)
print(len(out["sets"]), "sets")
