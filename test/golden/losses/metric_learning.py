"""200 random cases of pytorch-metric-learning's losses, in float64: writes metric_learning.json.

A case is its value and, an argument, the product of its gradient with a vector of random signs, as in many.py. Inputs
come from ../seeded.py, whose twin the test uses.

Run: OMP_NUM_THREADS=1 python3 metric_learning.py   (needs pytorch-metric-learning 2.8.1)
"""
import base64
import json
import math
import os
import sys
from importlib.metadata import version

import numpy as np
import torch
from pytorch_metric_learning import losses

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(here, ".."))
from seeded import integers, uniform  # noqa: E402

N, C, D, CASES = 9, 5, 6, 200
T = torch.float64


def tensor(seed, rows, low=-1.0, high=1.0):
    return torch.tensor(uniform(seed, rows * D, low, high), dtype=T).reshape(rows, D)


def proxied(loss, rows=C):
    """A loss with class weights of its own: they are given, row by row."""

    def run(f, y, seed):
        w = tensor(seed + 1, rows)
        loss.W = torch.nn.Parameter(w.T.contiguous())
        value = loss(f, y)
        value.backward()
        return value, [f.grad, loss.W.grad.T]

    return run


def plain(loss):
    def run(f, y, seed):
        value = loss(f, y)
        value.backward()
        return value, [f.grad]

    return run


size = {"num_classes": C, "embedding_size": D}
degrees = math.degrees(0.5)
table = {
    "arcFace": proxied(losses.ArcFaceLoss(**size, margin=degrees, scale=64)),
    "cosFace": proxied(losses.CosFaceLoss(**size, margin=0.35, scale=64)),
    "sphereFace": proxied(losses.SphereFaceLoss(**size, margin=4, scale=1)),
    "subCenter": proxied(losses.SubCenterArcFaceLoss(**size, margin=degrees, scale=64, sub_centers=3), 3 * C),
    "normalisedSoftmax": proxied(losses.NormalizedSoftmaxLoss(**size, temperature=0.05)),
    "triplet": plain(losses.TripletMarginLoss(margin=0.2)),
    "tripletSoft": plain(losses.TripletMarginLoss(margin=0, smooth_loss=True)),
    "multiSimilarity": plain(losses.MultiSimilarityLoss(alpha=2, beta=50, base=0.5)),
    "circle": plain(losses.CircleLoss(m=0.4, gamma=80)),
    "supCon": plain(losses.SupConLoss(temperature=0.1)),
}

columns = {name: [] for name in table}
for k in range(CASES):
    seed = 900_000 + 1000 * k
    y = torch.tensor(integers(seed + 3, N, C))
    for name, run in table.items():
        f = tensor(seed, N, -1.5, 1.5).requires_grad_()
        value, gradients = run(f, y, seed)
        columns[name].append(value.item())
        for i, g in enumerate(gradients):
            signs = integers(seed + i + 900, g.numel(), 2) * 2 - 1
            columns[name].append(float(np.dot(signs, g.numpy().ravel())))

result = {
    "torch": torch.__version__,
    "pytorch-metric-learning": version("pytorch-metric-learning"),
    "cases": CASES,
    "losses": {n: base64.b64encode(np.array(v, dtype=np.float64).tobytes()).decode() for n, v in columns.items()},
}
with open(os.path.join(here, "metric_learning.json"), "w") as file:
    json.dump(result, file)
