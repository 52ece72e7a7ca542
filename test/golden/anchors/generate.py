"""Anchors of mmdetection, detectron2, EfficientDet, YOLO and face detectors restated, and YOLOv5's anchor report."""
import json
import math
import os
import sys

import numpy as np
import torch

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "matching"))
import sets  # noqa: E402


def maps_of(width, height, strides):
    return [(-(-width // s), -(-height // s)) for s in strides]


def shifted(base, w, h, stride_x, stride_y, ox=0.0, oy=0.0):
    x = torch.arange(w, dtype=torch.float32) * stride_x + ox
    y = torch.arange(h, dtype=torch.float32) * stride_y + oy
    yy, xx = torch.meshgrid(y, x, indexing="ij")
    shifts = torch.stack([xx.reshape(-1), yy.reshape(-1)] * 2, 1)
    return (shifts[:, None] + base[None]).reshape(-1, 4)


def mm_base(size, scales, ratios, cx, cy, scale_major=True):
    """mmdet AnchorGenerator.gen_single_level_base_anchors."""
    h_ratios = torch.sqrt(torch.tensor(ratios))
    w_ratios = 1 / h_ratios
    scales = torch.tensor(scales)
    if scale_major:
        ws = (size * w_ratios[:, None] * scales[None, :]).view(-1)
        hs = (size * h_ratios[:, None] * scales[None, :]).view(-1)
    else:
        ws = (size * scales[:, None] * w_ratios[None, :]).view(-1)
        hs = (size * scales[:, None] * h_ratios[None, :]).view(-1)
    return torch.stack([cx - 0.5 * ws, cy - 0.5 * hs, cx + 0.5 * ws, cy + 0.5 * hs], -1)


def mmdetection(width, height, strides, scales, ratios, offset=0.0, bases=None):
    out = []
    for (w, h), s, b in zip(maps_of(width, height, strides), strides, bases or strides):
        out.append(shifted(mm_base(b, scales, ratios, offset * b, offset * b), w, h, s, s))
    return torch.cat(out)


def mm_ssd(width, height, size, strides, ratios, ratio_range):
    """mmdet SSDAnchorGenerator."""
    low, high = int(ratio_range[0] * 100), int(ratio_range[1] * 100)
    step = int(np.floor(high - low) / (len(strides) - 2))
    mins, maxs = [], []
    for r in range(low, high + 1, step):
        mins.append(int(size * r / 100))
        maxs.append(int(size * (r + step) / 100))
    first = {(300, 0.15): (7, 15), (300, 0.2): (10, 20), (512, 0.1): (4, 10), (512, 0.15): (7, 15)}[(size, ratio_range[0])]
    mins.insert(0, int(size * first[0] / 100))
    maxs.insert(0, int(size * first[1] / 100))
    out = []
    for k, ((w, h), s) in enumerate(zip(maps_of(width, height, strides), strides)):
        all_ratios = [1.0]
        for r in ratios[k]:
            all_ratios += [1 / r, r]
        base = mm_base(mins[k], [1.0, float(np.sqrt(maxs[k] / mins[k]))], all_ratios, s / 2.0, s / 2.0, False)
        index = list(range(len(all_ratios)))
        index.insert(1, len(index))
        out.append(shifted(base[index], w, h, s, s))
    return torch.cat(out)


def detectron2(width, height, strides, sizes, ratios, offset=0.0):
    """detectron2 DefaultAnchorGenerator."""
    out = []
    for (w, h), s, level in zip(maps_of(width, height, strides), strides, sizes):
        base = []
        for size in level:
            for r in ratios:
                bw = math.sqrt(size**2.0 / r)
                bh = r * bw
                base.append([-bw / 2.0, -bh / 2.0, bw / 2.0, bh / 2.0])
        out.append(shifted(torch.tensor(base), w, h, s, s, offset * s, offset * s))
    return torch.cat(out)


def efficientdet(width, height):
    """automl efficientdet/anchors.py `_generate_configs` and `_generate_boxes`, as x1, y1, x2, y2.

    A level's stride is image / feature map along each axis; maps halve from the image, rounded up.
    """
    out = []
    for w, h in maps_of(width, height, (8, 16, 32, 64, 128)):
        sx, sy = width / float(w), height / float(h)
        yv, xv = np.meshgrid(np.arange(sy / 2, height, sy), np.arange(sx / 2, width, sx), indexing="ij")
        boxes = []
        for octave in range(3):
            for ax, ay in [(1.0, 1.0), (1.4, 0.7), (0.7, 1.4)]:
                x = 4.0 * sx * 2 ** (octave / 3.0) * ax / 2.0
                y = 4.0 * sy * 2 ** (octave / 3.0) * ay / 2.0
                boxes.append(np.stack([xv.ravel() - x, yv.ravel() - y, xv.ravel() + x, yv.ravel() + y], 1))
        out.append(torch.from_numpy(np.stack(boxes, 1).reshape(-1, 4).astype(np.float32)))
    return torch.cat(out)


def retinaface(width, height):
    out = []
    for s, sizes in zip((8, 16, 32), ((16, 32), (64, 128), (256, 512))):
        for i in range(math.ceil(height / s)):
            for j in range(math.ceil(width / s)):
                for m in sizes:
                    cx, cy = (j + 0.5) * s / width, (i + 0.5) * s / height
                    out.append([cx * width - m / 2, cy * height - m / 2, cx * width + m / 2, cy * height + m / 2])
    return torch.tensor(out)


def ultraface(width, height):
    out = []
    for s, sizes in zip((8, 16, 32, 64), ((10, 16, 24), (32, 48), (64, 96), (128, 192, 256))):
        fw, fh = math.ceil(width / s), math.ceil(height / s)
        for j in range(fh):
            for i in range(fw):
                for m in sizes:
                    p = [min(max(v, 0.0), 1.0) for v in ((i + 0.5) / fw, (j + 0.5) / fh, m / width, m / height)]
                    out.append([(p[0] - p[2] / 2) * width, (p[1] - p[3] / 2) * height, (p[0] + p[2] / 2) * width, (p[1] + p[3] / 2) * height])
    return torch.tensor(out)


def summary(boxes):
    b = boxes.double()
    return {"count": len(boxes), "digest": sets.float_digest(boxes.numpy()), "sum": float(b.sum()), "sumAbs": float(b.abs().sum()), "first": boxes[:3].flatten().tolist(), "last": boxes[-1].tolist()}


anchors = {}
for w, h in [(320, 256), (417, 333)]:
    size = f"{w}x{h}"
    anchors[f"mmdetection retinanet {size}"] = summary(mmdetection(w, h, [8, 16, 32, 64, 128], [4 * 2 ** (i / 3) for i in range(3)], [0.5, 1.0, 2.0]))
    anchors[f"mmdetection rpn {size}"] = summary(mmdetection(w, h, [4, 8, 16, 32, 64], [8.0], [0.5, 1.0, 2.0]))
    anchors[f"mmdetection centred {size}"] = summary(mmdetection(w, h, [8, 16], [2.0, 5.0], [0.33, 1.0, 3.0], 0.5, [9, 20]))
    anchors[f"mmdetection ssd {size}"] = summary(mm_ssd(w, h, 300, [8, 16, 32, 64, 100, 300], [[2], [2, 3], [2, 3], [2, 3], [2], [2]], (0.15, 0.9)))
    anchors[f"mmdetection ssd512 {size}"] = summary(mm_ssd(w, h, 512, [8, 16, 32, 64, 128, 256, 512], [[2], [2, 3], [2, 3], [2, 3], [2, 3], [2], [2]], (0.1, 0.9)))
    anchors[f"detectron2 retinanet {size}"] = summary(detectron2(w, h, [8, 16, 32, 64, 128], [[x, x * 2 ** (1.0 / 3), x * 2 ** (2.0 / 3)] for x in (32, 64, 128, 256, 512)], [0.5, 1.0, 2.0]))
    anchors[f"detectron2 offset {size}"] = summary(detectron2(w, h, [4, 16], [[32, 64], [100]], [0.25, 1.0, 4.0], 0.5))
    anchors[f"efficientdet {size}"] = summary(efficientdet(w, h))
    anchors[f"retinaface {size}"] = summary(retinaface(w, h))
    anchors[f"ultraface {size}"] = summary(ultraface(w, h))


def report(wh, k, thr=4.0):
    """ultralytics/yolov5 check_anchors.metric and anchor_fitness."""
    r = wh[:, None] / k[None]
    x = torch.min(r, 1 / r).min(2)[0]
    best = x.max(1)[0]
    return {"bestPossibleRecall": float((best > 1 / thr).double().mean()), "anchorsPerBox": float((x > 1 / thr).double().sum(1).mean()), "fitness": float((best * (best > 1 / thr).double()).mean()), "meanBest": float(best.mean())}


v5 = torch.tensor([10, 13, 16, 30, 33, 23, 30, 61, 62, 45, 59, 119, 116, 90, 156, 198, 373, 326], dtype=torch.float64).view(-1, 2)
reports = []
for seed, low, high in [(1, 1, 200), (2, 5, 100), (3, 30, 250)]:
    wh = torch.from_numpy(sets.uniform(seed, 1000, low, high)).view(-1, 2)
    reports.append({"seed": seed, "low": low, "high": high} | report(wh, v5))

with open(os.path.join(os.path.dirname(__file__), "anchors.json"), "w") as file:
    json.dump({"versions": sets.versions(torch, np), "anchors": anchors, "reports": reports}, file, separators=(",", ":"))
    file.write("\n")
