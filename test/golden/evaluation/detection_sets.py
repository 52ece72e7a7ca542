"""Seeded detection sets with everything the protocols treat apart: crowds, difficult objects, categories that are
verified absent or not exhaustively annotated, a class without objects, ties. The twin of detection-sets.ts."""
import os
import sys

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(here, ".."))
from seeded import integers  # noqa: E402

IMAGES, WIDTH, HEIGHT = 12, 400, 300
CATEGORIES = ((1, "r"), (3, "c"), (7, "f"), (9, "f"), (12, "c"))  # 9 has detections only


class Draw:
    """Whole numbers below a bound, one after another."""

    def __init__(self, seed):
        self.values = integers(seed, 20000, 1 << 20).tolist()
        self.at = 0

    def below(self, bound):
        self.at += 1
        return self.values[self.at - 1] % bound


def polygon(x, y, w, h):
    return [x, y, x, y + h, x + w, y + h, x + w, y]


def detection_set(seed, ties):
    """Coordinates are quarters of a pixel; scores are distinct float32 numbers, or with `ties` eighths."""
    d = Draw(seed)
    ids = [c for c, _ in CATEGORIES]
    images, annotations, results = [], [], []

    def result(image, category, x, y, w, h):
        v = d.below(32768)
        score = (1 + v % 8) / 8 if ties else (v * 512 + len(results)) / 2**24
        results.append({"image_id": image, "category_id": category, "bbox": [x, y, w, h], "score": score, "segmentation": [polygon(x, y, w, h)]})

    for i in range(1, IMAGES + 1):
        negative = [c for c in ids if d.below(3) == 0]
        partial = [c for c in ids if d.below(4) == 0]
        images.append({"id": i, "width": WIDTH, "height": HEIGHT, "neg_category_ids": negative, "not_exhaustive_category_ids": partial})
        for _ in range(d.below(8)):
            x, y, w, h = d.below(1200) / 4, d.below(800) / 4, (16 + d.below(400)) / 4, (16 + d.below(400)) / 4
            category = (1, 3, 7, 12)[d.below(4)]
            crowd, difficult = int(d.below(8) == 0), int(d.below(6) == 0)
            annotations.append({"id": len(annotations) + 1, "image_id": i, "category_id": category, "bbox": [x, y, w, h], "area": w * h,
                                "iscrowd": crowd, "difficult": difficult, "segmentation": [polygon(x, y, w, h)]})
            for _ in range(d.below(4)):
                q = 4 + d.below(80)
                dx, dy, dw, dh = ((d.below(2 * q + 1) - q) / 4 for _ in range(4))
                own = category if d.below(4) else ids[d.below(5)]
                result(i, own, x + dx, y + dy, max(1, w + dw), max(1, h + dh))
        for _ in range(d.below(4)):
            x, y, w, h = d.below(1200) / 4, d.below(800) / 4, (16 + d.below(400)) / 4, (16 + d.below(400)) / 4
            result(i, ids[d.below(5)], x, y, w, h)
    categories = [{"id": c, "name": f"class {c}", "frequency": f} for c, f in CATEGORIES]
    return {"images": images, "annotations": annotations, "categories": categories}, results
