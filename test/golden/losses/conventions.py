"""Options that follow one library, from that library: pytorch-metric-learning's contrastive loss and anchor swap,
mmdetection's element weights of the bounded IoU and its floor under every IoU transform; softmax focal loss of soft
targets from torch. Each has its value and gradient in float64: writes conventions.json. Inputs come from ../seeded.py.

mmdetection's modules are imported by themselves, for the package asks for mmcv, which they do not use.

Run: OMP_NUM_THREADS=1 python3 conventions.py   (needs pytorch-metric-learning, mmdet, mmengine)
"""
import importlib
import json
import os
import sys
import types
from importlib.metadata import distribution, version

import torch
from pytorch_metric_learning import losses

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(here, ".."))
from seeded import integers, uniform  # noqa: E402


def package(name):
    module = types.ModuleType(name)
    module.__path__ = [str(distribution("mmdet").locate_file(name.replace(".", "/")))]
    sys.modules[name] = module
    return module


for name in ["mmdet", "mmdet.models", "mmdet.models.losses", "mmdet.structures", "mmdet.structures.bbox"]:
    package(name)
overlaps = importlib.import_module("mmdet.structures.bbox.bbox_overlaps")
sys.modules["mmdet.structures.bbox"].bbox_overlaps = overlaps.bbox_overlaps
iou = importlib.import_module("mmdet.models.losses.iou_loss")


def tensor(seed, rows, columns, low, high):
    numbers = [float(v) for v in uniform(seed, rows * columns, low, high)]
    return torch.tensor(numbers, dtype=torch.float64).reshape(rows, columns)


def boxes(seed, rows):
    """Corners and sizes of 10 × 10: many pairs do not overlap."""
    b = tensor(seed, rows, 4, 0.5, 10)
    return torch.cat([b[:, :2], b[:, :2] + b[:, 2:] / 3], 1)


result = {}


def record(name, value, x):
    (gradient,) = torch.autograd.grad(value, x)
    result[name] = {"value": value.item(), "gradient": gradient.reshape(-1).tolist()}


f = tensor(1, 12, 5, -1.5, 1.5).requires_grad_()
y = torch.tensor([int(v) for v in integers(2, 12, 3)])
record("contrastive", losses.ContrastiveLoss(pos_margin=0.1, neg_margin=0.9)(f, y), f)
record("tripletSwap", losses.TripletMarginLoss(margin=0.05, swap=True)(f, y), f)

p, g = boxes(3, 20).requires_grad_(), boxes(4, 20)
weights = tensor(5, 20, 4, 0, 2)
record("boundedIou", iou.bounded_iou_loss(p, g, weights, beta=0.2, eps=1e-3, reduction="mean", avg_factor=7.0), p)
for mode in ["linear", "square", "log"]:
    loss = iou.IoULoss(mode=mode, eps=1e-2)
    record("iou " + mode, loss(p, g, weights, avg_factor=3.0), p)

x = tensor(6, 8, 5, -4, 4).requires_grad_()
q = tensor(7, 8, 5, 0, 1)
logs = torch.log_softmax(x, 1)
record("softmaxFocalSoft", (-0.25 * q * (1 - logs.exp()) ** 1.5 * logs).sum(1).mean(), x)

versions = {n: version(n) for n in ["pytorch-metric-learning", "mmdet"]}
with open(os.path.join(here, "conventions.json"), "w") as file:
    json.dump({"torch": torch.__version__, **versions, "losses": result}, file)
