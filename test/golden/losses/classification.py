"""Values and autograd gradients of the classification and elementwise losses, in torch float64: writes classification.json.

Restated from the papers and libraries named in each function (detached where they detach), apart from the TypeScript.
Inputs come from ../seeded.py, whose twin the test uses.

Run: OMP_NUM_THREADS=1 /usr/bin/python3 classification.py
"""
import json
import math
import os
import sys

import torch
import torch.nn.functional as F
import torchvision
from torchvision.ops import sigmoid_focal_loss

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(here, ".."))
from seeded import integers, uniform  # noqa: E402

N, C = 12, 7
D = torch.float64


def tensor(seed, count, low, high):
    return torch.tensor(uniform(seed, count, low, high), dtype=D)


def softmax_focal(x, labels, alpha, gamma, poly=0.0):  # mmcv softmax_focal_loss; PolyLoss
    p = F.softmax(x, 1).gather(1, labels[:, None])[:, 0]
    return (alpha * (1 - p) ** gamma * (poly * (1 - p) - p.log())).mean()


def quality_focal(x, y, beta):  # mmdetection, tensor targets
    return ((y - x.sigmoid()).abs() ** beta * F.binary_cross_entropy_with_logits(x, y, reduction="none")).sum()


def varifocal(x, q, alpha, gamma, detach, positives=None):
    p = x.sigmoid()
    if detach:
        p = p.detach()
    pos = (q > 0).to(D) if positives is None else positives
    w = q * pos + alpha * (p - q).abs() ** gamma * (1 - pos)
    return (F.binary_cross_entropy_with_logits(x, q, reduction="none") * w).sum()


def distribution_focal(x, y):
    left = y.long()
    wl = left + 1 - y
    wr = y - left
    return (F.cross_entropy(x, left, reduction="none") * wl + F.cross_entropy(x, left + 1, reduction="none") * wr).sum()


def gaussian_focal(x, y, eps=1e-12, alpha=2.0, gamma=4.0):
    p, q = x.sigmoid(), (-x).sigmoid()  # q = 1 - p without cancellation
    pos = y.eq(1)
    return (-(p + eps).log() * q ** alpha * pos - (q + eps).log() * p ** alpha * (1 - y) ** gamma).sum()


def ghmc(x, t, bins=10):
    edges = [i / bins for i in range(bins + 1)]
    edges[-1] += 1e-6
    g = (x.sigmoid().detach() - t).abs()
    tot = max(x.numel(), 1)
    w = torch.zeros_like(x)
    n = 0
    for i in range(bins):
        inds = (g >= edges[i]) & (g < edges[i + 1])
        k = inds.sum().item()
        if k > 0:
            w[inds] = tot / k
            n += 1
    w = w / n
    return (F.binary_cross_entropy_with_logits(x, t, reduction="none") * w).sum() / tot


def ghmr(x, t, mu=0.02, bins=10):
    edges = [i / bins for i in range(bins + 1)]
    edges[-1] = 1e3
    d = x - t
    loss = (d * d + mu * mu).sqrt() - mu
    g = (d / (mu * mu + d * d).sqrt()).abs().detach()
    tot = max(x.numel(), 1)
    w = torch.zeros_like(x)
    n = 0
    for i in range(bins):
        inds = (g >= edges[i]) & (g < edges[i + 1])
        k = inds.sum().item()
        if k > 0:
            n += 1
            w[inds] = tot / k
    w = w / n
    return (loss * w).sum() / tot


def seesaw(x, labels, counts, p=0.8, q=2.0, eps=1e-2):
    onehot = F.one_hot(labels, C).to(D)
    weights = torch.ones_like(x)
    if p > 0:
        ratio = counts[None, :].clamp(min=1) / counts[:, None].clamp(min=1)
        index = (ratio < 1).to(D)
        factor = ratio ** p * index + (1 - index)
        weights = weights * factor[labels]
    if q > 0:
        scores = F.softmax(x.detach(), 1)
        own = scores.gather(1, labels[:, None]).clamp(min=eps)
        m = scores / own
        index = (m > 1).to(D)
        weights = weights * (m ** q * index + (1 - index))
    return F.cross_entropy(x + weights.log() * (1 - onehot), labels)


def balanced_l1(d, alpha=0.5, gamma=1.5, beta=1.0):
    b = math.e ** (gamma / alpha) - 1
    a = d.abs()
    return torch.where(a < beta, alpha / b * (b * a + 1) * (b * a / beta + 1).log() - alpha * a, gamma * a + gamma / b - alpha * beta).sum()


def cases(seed, span):
    """name → (value, gradient) on logits in −span … span."""
    x0 = tensor(seed, N * C, -span, span).reshape(N, C)
    labels = torch.tensor(integers(seed + 1, N, C))
    hard = F.one_hot(labels, C).to(D)
    soft = tensor(seed + 2, N * C, 0, 1).reshape(N, C)
    quality = soft * hard
    weights = tensor(seed + 3, C, 0.25, 2)
    smooth = tensor(seed + 4, C, 0.25, 2)
    smooth = smooth / smooth.sum()
    distances = tensor(seed + 5, N, 0, C - 1.25)
    targets = tensor(seed + 6, N * C, -2, 2).reshape(N, C)
    heat = torch.where(soft > 0.9, torch.ones_like(soft), soft)
    counts = torch.tensor(integers(seed + 7, C, 50), dtype=D)
    general = lambda x: -(((1 - 0.2) * hard + 0.2 * smooth[None, :]) * F.log_softmax(x, 1)).sum(1).mean()
    out = {}
    fs = {
        "crossEntropy": lambda x: F.cross_entropy(x, labels),
        "crossEntropySmoothed": lambda x: F.cross_entropy(x, labels, label_smoothing=0.1),
        "crossEntropyWeighted": lambda x: F.cross_entropy(x, labels, weight=weights, label_smoothing=0.1, ignore_index=2),
        "crossEntropyGeneral": general,
        "crossEntropySoft": lambda x: F.cross_entropy(x, soft / soft.sum(1, keepdim=True)),
        "binaryCrossEntropy": lambda x: F.binary_cross_entropy_with_logits(x, soft, pos_weight=weights, reduction="sum"),
        "sigmoidFocal": lambda x: sigmoid_focal_loss(x, hard, 0.25, 2, "sum"),
        "sigmoidFocalSoft": lambda x: sigmoid_focal_loss(x, soft, 0.4, 1.5, "mean"),
        "sigmoidFocalNoAlpha": lambda x: sigmoid_focal_loss(x, hard, -1, 0, "mean"),
        "poly": lambda x: sigmoid_focal_loss(x, hard, 0.25, 2, "sum")
        + 0.7 * ((0.25 * hard + 0.75 * (1 - hard)) * (1 - (x.sigmoid() * hard + (1 - x.sigmoid()) * (1 - hard))) ** 3).sum(),
        "softmaxFocal": lambda x: softmax_focal(x, labels, 0.25, 2.0),
        "polyCrossEntropy": lambda x: F.cross_entropy(x, labels) + 1.5 * (1 - F.softmax(x, 1).gather(1, labels[:, None])).mean(),
        "softmaxFocalPoly": lambda x: softmax_focal(x, labels, 0.25, 2.0, -0.8),
        "qualityFocal": lambda x: quality_focal(x, quality, 2.0),
        "varifocal": lambda x: varifocal(x, quality, 0.75, 2.0, False),
        "varifocalDetached": lambda x: varifocal(x, quality, 0.2, 2.0, True),
        "distributionFocal": lambda x: distribution_focal(x, distances),
        "gaussianFocal": lambda x: gaussian_focal(x, heat),
        "ghmClassification": lambda x: ghmc(x, hard),
        "ghmRegression": lambda x: ghmr(x, targets),
        "seesaw": lambda x: seesaw(x, labels, counts),
        "l1": lambda x: F.l1_loss(x, targets),
        "mse": lambda x: F.mse_loss(x, targets),
        "smoothL1": lambda x: F.smooth_l1_loss(x, targets, beta=0.5),
        "huber": lambda x: F.huber_loss(x, targets, delta=0.7),
        "balancedL1": lambda x: balanced_l1(x - targets),
    }
    for name, f in fs.items():
        x = x0.clone().requires_grad_(True)
        v = f(x)
        v.backward()
        out[name] = {"value": v.item(), "gradient": x.grad.flatten().tolist()}
    return out


if __name__ == "__main__":
    result = {
        "torch": torch.__version__,
        "torchvision": torchvision.__version__,
        "samples": N,
        "classes": C,
        "cases": [{"seed": s, "span": span, "losses": cases(s, span)} for s, span in ((100, 2), (200, 8), (300, 30))],
    }
    with open(os.path.join(here, "classification.json"), "w") as f:
        json.dump(result, f)
