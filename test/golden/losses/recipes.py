"""Total losses of detectors with autograd gradients, in torch float64: writes recipes.json.

Restated from torchvision, mmdetection, DETR, YOLOv5, YOLOX and ultralytics, on given assignments, apart from the
TypeScript. Inputs come from ../seeded.py, whose twin the test uses.

Run: OMP_NUM_THREADS=1 /usr/bin/python3 recipes.py
"""
import json
import math
import os
import sys

import torch
import torch.nn.functional as F
import torchvision
from torchvision.ops import generalized_box_iou_loss, sigmoid_focal_loss

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(here, ".."))
from seeded import integers, uniform  # noqa: E402

T = torch.float64
IMAGES, ROWS, C, BINS = 2, 12, 3, 16  # rows an image
R = IMAGES * ROWS


def tensor(seed, *shape, low=-2.0, high=2.0):
    return torch.tensor(uniform(seed, math.prod(shape), low, high), dtype=T).reshape(shape)


def boxes(seed, count, low, high, least, most):
    xy, wh = tensor(seed, count, 2, low=low, high=high), tensor(seed + 1, count, 2, low=least, high=most)
    return torch.cat([xy, xy + wh], 1)


def to_corners(b):
    return torch.cat([b[:, :2] - b[:, 2:] / 2, b[:, :2] + b[:, 2:] / 2], 1)


def ciou(p, g, eps=1e-7):  # ultralytics bbox_iou on corners, CIoU=True
    w1, h1 = p[:, 2] - p[:, 0], p[:, 3] - p[:, 1] + eps
    w2, h2 = g[:, 2] - g[:, 0], g[:, 3] - g[:, 1] + eps
    inter = (torch.min(p[:, 2], g[:, 2]) - torch.max(p[:, 0], g[:, 0])).clamp(0) * (torch.min(p[:, 3], g[:, 3]) - torch.max(p[:, 1], g[:, 1])).clamp(0)
    union = w1 * h1 + w2 * h2 - inter + eps
    iou = inter / union
    cw = torch.max(p[:, 2], g[:, 2]) - torch.min(p[:, 0], g[:, 0])
    ch = torch.max(p[:, 3], g[:, 3]) - torch.min(p[:, 1], g[:, 1])
    c2 = cw ** 2 + ch ** 2 + eps
    rho = ((g[:, 0] + g[:, 2] - p[:, 0] - p[:, 2]) ** 2 + (g[:, 1] + g[:, 3] - p[:, 1] - p[:, 3]) ** 2) / 4
    v = 4 / math.pi ** 2 * (torch.atan(w2 / h2) - torch.atan(w1 / h1)) ** 2
    with torch.no_grad():
        alpha = v / (v - iou + (1 + eps))
    return iou - (rho / c2 + v * alpha)


def ssd(logits, reg, labels, targets):
    fg = labels > 0
    n = max(1, int(fg.sum()))
    box = F.smooth_l1_loss(reg[fg], targets[fg], reduction="sum") / n
    ce = F.cross_entropy(logits, labels, reduction="none").view(IMAGES, -1)
    f2 = fg.view(IMAGES, -1)
    negative = ce.clone()
    negative[f2] = -float("inf")
    _, idx = negative.sort(1, descending=True)
    background = idx.sort(1)[1] < 3 * f2.sum(1, keepdim=True)
    return (ce[f2].sum() + ce[background & ~f2].sum()) / n + box


def retina(logits, reg, labels, targets, convention):
    onehot = torch.zeros(R, C, dtype=T)
    onehot[labels >= 0, labels[labels >= 0]] = 1
    total = 0
    fg = labels >= 0
    if convention == "torchvision":
        for i in range(IMAGES):
            s = slice(i * ROWS, (i + 1) * ROWS)
            n = max(1, int(fg[s].sum()))
            valid = labels[s] != -2
            total = total + sigmoid_focal_loss(logits[s][valid], onehot[s][valid], reduction="sum") / n
            total = total + F.l1_loss(reg[s][fg[s]], targets[s][fg[s]], reduction="sum") / n
        return total / IMAGES
    n = max(1, int(fg.sum())) if convention == "mmdetection" else 17.0
    valid = labels != -2
    total = sigmoid_focal_loss(logits[valid], onehot[valid], reduction="sum") / n
    if convention == "mmdetection":
        return total + F.l1_loss(reg[fg], targets[fg], reduction="sum") / n
    return total + F.smooth_l1_loss(reg[fg], targets[fg], beta=0.1, reduction="sum") / n


def fcos(logits, dist, ctr, labels, gt, priors, convention):
    fg = labels >= 0
    n = max(1, int(fg.sum()))
    onehot = torch.zeros(R, C, dtype=T)
    onehot[fg, labels[fg]] = 1
    cls = sigmoid_focal_loss(logits, onehot, reduction="sum") / n
    centre = (priors[:, :2] + priors[:, 2:]) / 2
    dec = torch.cat([centre - dist[:, :2], centre + dist[:, 2:]], 1)[fg]
    w = torch.cat([centre - gt[:, :2], gt[:, 2:] - centre], 1)[fg]
    lr, tb = w[:, [0, 2]], w[:, [1, 3]]
    ct = torch.sqrt(lr.min(1)[0] / lr.max(1)[0] * (tb.min(1)[0] / tb.max(1)[0]))
    c = F.binary_cross_entropy_with_logits(ctr[fg], ct, reduction="sum") / n
    if convention == "torchvision":
        box = generalized_box_iou_loss(dec, gt[fg], "sum") / n
    else:  # IoULoss log, weight centreness, avg_factor their sum (+ eps of weight_reduce_loss)
        lt, rb = torch.max(dec[:, :2], gt[fg][:, :2]), torch.min(dec[:, 2:], gt[fg][:, 2:])
        inter = (rb - lt).clamp(min=0).prod(1)
        union = (dec[:, 2:] - dec[:, :2]).prod(1) + (gt[fg][:, 2:] - gt[fg][:, :2]).prod(1) - inter
        iou = (inter / union.clamp(min=1e-6)).clamp(min=1e-6)
        box = (-iou.log() * ct).sum() / (ct.sum() + torch.finfo(torch.float32).eps)
    return cls + box + c


def detr(logits, box, labels, targets, kind):
    matched = labels >= 0
    n = max(1, int(matched.sum()))
    if kind == "softmax":
        weight = torch.ones(C, dtype=T)
        weight[-1] = 0.1
        cls = F.cross_entropy(logits, torch.where(matched, labels, torch.tensor(C - 1)), weight)
        w = 1
    else:
        onehot = torch.zeros(R, C, dtype=T)
        onehot[matched, labels[matched]] = 1
        cls, w = sigmoid_focal_loss(logits, onehot, reduction="sum") / n, 2
    l1 = F.l1_loss(box[matched], targets[matched], reduction="sum") / n
    giou = generalized_box_iou_loss(to_corners(box[matched]), to_corners(targets[matched]), "sum", eps=0) / n
    return w * cls + 5 * l1 + 2 * giou


def yolov8(logits, dist, scores, positives, gt, priors):
    s = max(scores.sum(), torch.tensor(1.0))
    cls = F.binary_cross_entropy_with_logits(logits, scores, reduction="none").sum() / s
    d = dist.view(R, 4, BINS).softmax(2) @ torch.arange(BINS, dtype=T)
    centre = (priors[:, :2] + priors[:, 2:]) / 2
    dec = torch.cat([centre - d[:, :2], centre + d[:, 2:]], 1)[positives]
    w = scores.sum(1)[positives]
    box = ((1 - ciou(dec, gt[positives])) * w).sum() / s
    target = torch.cat([centre - gt[:, :2], gt[:, 2:] - centre], 1)[positives].clamp(0, BINS - 1 - 0.01)
    tl = target.long()
    wl = tl + 1 - target
    flat = dist[positives].view(-1, BINS)
    dfl = F.cross_entropy(flat, tl.view(-1), reduction="none").view(tl.shape) * wl + F.cross_entropy(flat, tl.view(-1) + 1, reduction="none").view(tl.shape) * (1 - wl)
    dfl = (dfl.mean(1) * w).sum() / s
    return (7.5 * box + 0.5 * cls + 1.5 * dfl) * IMAGES


def yolox(logits, obj, box, positives, ids, overlaps, gt):
    n = max(1, len(positives))
    p, g = to_corners(box[positives]), to_corners(gt)
    lt, rb = torch.max(p[:, :2], g[:, :2]), torch.min(p[:, 2:], g[:, 2:])
    inter = (rb - lt).prod(1) * (lt < rb).to(T).prod(1)
    union = (p[:, 2:] - p[:, :2]).prod(1) + (g[:, 2:] - g[:, :2]).prod(1) - inter
    l_iou = (1 - (inter / (union + 1e-16)) ** 2).sum() / n
    t = torch.zeros(R, dtype=T)
    t[positives] = 1
    l_obj = F.binary_cross_entropy_with_logits(obj, t, reduction="sum") / n
    l_cls = F.binary_cross_entropy_with_logits(logits[positives], F.one_hot(ids, C) * overlaps[:, None], reduction="sum") / n
    return 5 * l_iou + l_obj + l_cls


def yolov5(raw, obj, logits, matches, gt, anchors, ids, balance=(4.0, 1.0, 0.4)):
    lbox = lobj = lcls = 0
    for n in range(3):
        p = raw[n][matches[n]].sigmoid()
        dec = torch.cat([p[:, :2] * 2 - 0.5, (p[:, 2:] * 2) ** 2 * anchors[n]], 1)
        iou = ciou(to_corners(dec), to_corners(gt[n]))
        lbox = lbox + (1 - iou).mean()
        t = torch.zeros(R, dtype=T)
        for k, row in enumerate(matches[n]):
            t[row] = iou[k].detach().clamp(0)
        lobj = lobj + F.binary_cross_entropy_with_logits(obj[n], t) * balance[n]
        lcls = lcls + F.binary_cross_entropy_with_logits(logits[n][matches[n]], F.one_hot(ids[n], C).to(T))
    return (0.05 * lbox + lobj + 0.5 * lcls) * IMAGES


def record(fn, *arguments):
    leaves = [a.clone().requires_grad_(True) for a in arguments]
    value = fn(*leaves)
    value.backward()
    return {"value": value.item(), "gradients": [leaf.grad.flatten().tolist() for leaf in leaves]}


def case(seed):
    logits, reg, ctr = tensor(seed, R, C), tensor(seed + 1, R, 4), tensor(seed + 2, R)
    labels = torch.tensor(integers(seed + 3, R, C + 2)) - 2  # -2 … C-1
    targets = tensor(seed + 4, R, 4)
    gt = boxes(seed + 5, R, 0, 4, 4, 12)
    centre = tensor(seed + 7, R, 2, low=4.5, high=5.5)
    priors = torch.cat([centre - 0.5, centre + 0.5], 1)
    inside = torch.cat([centre - 0.25 - tensor(seed + 8, R, 2, low=0, high=4), centre + 0.25 + tensor(seed + 9, R, 2, low=0, high=4)], 1)
    dist = tensor(seed + 10, R, 4, low=0.25, high=6)
    unit = torch.cat([tensor(seed + 11, R, 2, low=0.25, high=0.75), tensor(seed + 12, R, 2, low=0.125, high=0.5)], 1)
    unit_t = torch.cat([tensor(seed + 13, R, 2, low=0.25, high=0.75), tensor(seed + 14, R, 2, low=0.125, high=0.5)], 1)
    positives = torch.tensor([1, 4, 7, 15, 20])
    scores = torch.zeros(R, C, dtype=T)
    scores[positives, torch.tensor(integers(seed + 15, 5, C))] = tensor(seed + 16, 5, low=0.125, high=1)
    distributions = tensor(seed + 17, R, 4 * BINS)
    ids = torch.tensor(integers(seed + 18, 5, C))
    overlaps = tensor(seed + 19, 5, low=0.25, high=1)
    wide = torch.cat([tensor(seed + 20, R, 2, low=10, high=20), tensor(seed + 21, R, 2, low=8, high=30)], 1)
    wide_t = torch.cat([tensor(seed + 22, 5, 2, low=10, high=20), tensor(seed + 23, 5, 2, low=8, high=30)], 1)
    matches = [torch.tensor(integers(seed + 30 + n, 6, R)) for n in range(3)]
    levels = [torch.cat([tensor(seed + 40 + n, 6, 2, low=-0.5, high=1.5), tensor(seed + 50 + n, 6, 2, low=1, high=6)], 1) for n in range(3)]
    anchors = [tensor(seed + 60 + n, 6, 2, low=1, high=5) for n in range(3)]
    classes = [torch.tensor(integers(seed + 70 + n, 6, C)) for n in range(3)]
    raw, obj, lg = [[tensor(seed + b + n, *s) for n in range(3)] for b, s in ((80, (R, 4)), (90, (R,)), (95, (R, C)))]
    out = {
        "ssd": record(lambda a, b: ssd(a, b, labels.clamp(min=0), targets), logits, reg),
        "fcos torchvision": record(lambda a, b, c: fcos(a, b, c, labels.clamp(min=-1), inside, priors, "torchvision"), logits, dist, ctr),
        "fcos mmdetection": record(lambda a, b, c: fcos(a, b, c, labels.clamp(min=-1), inside, priors, "mmdetection"), logits, dist, ctr),
        "detr softmax": record(lambda a, b: detr(a, b, torch.where(labels >= C - 1, -1, labels.clamp(min=-1)), unit_t, "softmax"), logits, unit),
        "detr focal": record(lambda a, b: detr(a, b, labels.clamp(min=-1), unit_t, "focal"), logits, unit),
        "yolov8": record(lambda a, b: yolov8(a, b, scores, positives, inside, priors), logits, distributions),
        "yolox": record(lambda a, b, c: yolox(a, b, c, positives, ids, overlaps, wide_t), logits, ctr, wide),
        "yolov5": record(lambda *x: yolov5(x[:3], x[3:6], x[6:], matches, levels, anchors, classes), *raw, *obj, *lg),
    }
    for convention in ("torchvision", "mmdetection", "detectron2"):
        out[f"retinanet {convention}"] = record(lambda a, b: retina(a, b, labels, targets, convention), logits, reg)
    return {"seed": seed, "losses": out}


if __name__ == "__main__":
    result = {"torch": torch.__version__, "torchvision": torchvision.__version__, "images": IMAGES, "rows": ROWS, "classes": C, "bins": BINS, "cases": [case(1000), case(2000)]}
    with open(os.path.join(here, "recipes.json"), "w") as f:
        json.dump(result, f)
