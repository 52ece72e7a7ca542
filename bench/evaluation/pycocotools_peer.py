"""COCO evaluation by pycocotools: python3 pycocotools_peer.py GT.json DT.json prints stats and processor seconds."""
import contextlib
import importlib.metadata
import io
import json
import sys
import time

from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

with contextlib.redirect_stdout(io.StringIO()):
    start = time.process_time()
    truth = COCO(sys.argv[1])
    found = truth.loadRes(sys.argv[2])
    loaded = time.process_time()
    evaluation = COCOeval(truth, found, "bbox")
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    end = time.process_time()
print(json.dumps({
    "version": importlib.metadata.version("pycocotools"),
    "stats": evaluation.stats.tolist(),
    "load": loaded - start,
    "evaluate": end - loaded,
}))
