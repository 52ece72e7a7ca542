"""torchvision's matching on one thread, driven line by line: a JSON request in, a JSON answer out."""
import json
import sys
import time

import numpy as np
import torch
import torchvision
from torchvision.models.detection import _utils as utils
from torchvision.ops import box_iou

torch.set_num_threads(1)
print(json.dumps({"torchvision": torchvision.__version__}), flush=True)
loaded = {}


def load(name):
    if name not in loaded:
        loaded[name] = torch.from_numpy(np.fromfile(name, np.float32).reshape(-1, 4))
    return loaded[name]


for line in sys.stdin:
    request = json.loads(line)
    anchors, boxes = load(request["anchors"]), load(request["boxes"])
    if request["rule"] == "ssd":
        matcher = utils.SSDMatcher(0.5)
    else:
        high, low, allow = {"retinanet": (0.5, 0.4, True), "rpn": (0.7, 0.3, True)}[request["rule"]]
        matcher = utils.Matcher(high, low, allow)
    runs, start, end = 0, time.process_time(), time.perf_counter() + request["budget"] / 1000
    while True:
        matches = matcher(box_iou(boxes, anchors))
        runs += 1
        if time.perf_counter() > end:
            break
    spent = (time.process_time() - start) * 1000 / runs
    matches.numpy().astype(np.int32).tofile(request["out"])
    print(json.dumps({"milliseconds": spent}), flush=True)
