"""Groups of supervision's non-maximum merging where scores tie: writes merge-ties.json.

Boxes on a small grid, four scores; at most 16 boxes and no SIMD sorts (which leave ties in an order of the processor's), so
that numpy's argsort is an insertion sort, which is stable.

Run: pip install supervision==0.31.2; python3 merge_ties.py
"""
import importlib.metadata
import json
import os
import sys

os.environ["NPY_DISABLE_CPU_FEATURES"] = "X86_V3 X86_V4 AVX512_ICL AVX512_SPR"

import numpy as np
from supervision.detection.utils.iou_and_nms import OverlapMetric, box_non_max_merge

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(here))
from seeded import integers

sets = []
for seed in range(24):
    count = 4 + seed % 13
    corner = integers(9000 + seed, 2 * count, 5).reshape(-1, 2)
    size = 4 + integers(9100 + seed, 2 * count, 4).reshape(-1, 2)
    scores = (1 + integers(9200 + seed, count, 4)) / 4
    ids = integers(9300 + seed, count, 2)
    rows = np.concatenate([corner, corner + size, scores[:, None], ids[:, None]], 1).astype(np.float64)
    metric = OverlapMetric.IOU if seed % 2 == 0 else OverlapMetric.IOS
    groups = box_non_max_merge(rows, iou_threshold=0.4, overlap_metric=metric)
    sets.append(dict(seed=seed, count=count, metric=metric.name.lower(), groups=[[int(i) for i in g] for g in groups]))
versions = {name: importlib.metadata.version(name) for name in ("supervision", "numpy")}
with open(os.path.join(here, "merge-ties.json"), "w") as file:
    file.write('{"versions":' + json.dumps(versions) + ',\n"sets":[\n')
    file.write(",\n".join(json.dumps(row, separators=(",", ":")) for row in sets) + "]}\n")
