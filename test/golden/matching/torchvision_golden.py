"""Anchors and assignments of torchvision itself: python torchvision_golden.py (BOXOPS_TEST_DATA for the real sets)."""
import json
import os

import numpy as np
import torch
import torchvision
from torchvision.models.detection import _utils as utils
from torchvision.models.detection.anchor_utils import AnchorGenerator, DefaultBoxGenerator
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.retinanet import _default_anchorgen
from torchvision.ops import box_iou

import sets

torch.set_num_threads(1)


def anchors_of(generator, width, height, maps):
    images = ImageList(torch.zeros(1, 3, height, width), [(height, width)])
    return generator(images, [torch.zeros(1, 1, h, w) for w, h in maps])[0]


def maps_of(width, height, strides):
    return [(-(-width // s), -(-height // s)) for s in strides]


RETINA = [8, 16, 32, 64, 128]
RPN = [4, 8, 16, 32, 64]
retina = _default_anchorgen()
rpn = AnchorGenerator(tuple((s,) for s in (32, 64, 128, 256, 512)), ((0.5, 1.0, 2.0),) * 5)
fcos = AnchorGenerator(((8,), (16,), (32,), (64,), (128,)), ((1.0,),) * 5)
odd = AnchorGenerator(((10, 33), (57, 91, 130)), ((0.3, 1.0, 1.7, 3.1), (0.45, 1.0)))
ssd = DefaultBoxGenerator([[2], [2, 3], [2, 3], [2, 3], [2], [2]], scales=[0.07, 0.15, 0.33, 0.51, 0.69, 0.87, 1.05], steps=[8, 16, 32, 64, 100, 300])
lite = DefaultBoxGenerator([[2, 3] for _ in range(6)], min_ratio=0.2, max_ratio=0.95)
SSD_MAPS = [(n, n) for n in (38, 19, 10, 5, 3, 1)]


def boxes_summary(boxes):
    return {"count": len(boxes), "digest": sets.float_digest(boxes.numpy()), "first": boxes[:3].flatten().tolist()}


def anchors():
    out = {}
    for w, h in [(800, 800), (640, 480), (1088, 800), (417, 333)]:
        out[f"retinanet {w}x{h}"] = boxes_summary(anchors_of(retina, w, h, maps_of(w, h, RETINA)))
        out[f"rpn {w}x{h}"] = boxes_summary(anchors_of(rpn, w, h, maps_of(w, h, RPN)))
        out[f"fcos {w}x{h}"] = boxes_summary(anchors_of(fcos, w, h, maps_of(w, h, RETINA)))
        out[f"odd {w}x{h}"] = boxes_summary(anchors_of(odd, w, h, maps_of(w, h, [8, 24])))
    out["ssd300"] = boxes_summary(anchors_of(ssd, 300, 300, SSD_MAPS))
    out["ssdlite 320"] = boxes_summary(anchors_of(lite, 320, 320, [(n, n) for n in (20, 10, 5, 3, 2, 1)]))
    out["ssdlite 500x320"] = boxes_summary(anchors_of(lite, 500, 320, [(n, n - 1) for n in (20, 10, 5, 4, 3, 2)]))
    return out


def deltas(boxes, gts, matched, weights=(1.0, 1.0, 1.0, 1.0)):
    pos = torch.where(matched >= 0)[0]
    enc = utils.BoxCoder(weights).encode_single(gts[matched[pos]].double(), boxes[pos].double())
    return {"sumAbs": float(enc.double().abs().sum()), "first": enc[:6].flatten().tolist()}


def fcos_match(a, gts, first_level):
    """torchvision/models/detection/fcos.py, FCOS.compute_loss, radius 1.5."""
    gt_centers = (gts[:, :2] + gts[:, 2:]) / 2
    centers = (a[:, :2] + a[:, 2:]) / 2
    sizes = a[:, 2] - a[:, 0]
    pairwise = (centers[:, None, :] - gt_centers[None, :, :]).abs_().max(dim=2).values < 1.5 * sizes[:, None]
    x, y = centers.unsqueeze(dim=2).unbind(dim=1)
    x0, y0, x1, y1 = gts.unsqueeze(dim=0).unbind(dim=2)
    dist = torch.stack([x - x0, y - y0, x1 - x, y1 - y], dim=2)
    pairwise &= dist.min(dim=2).values > 0
    lower = sizes * 4
    lower[:first_level] = 0
    upper = sizes * 8
    upper[-fcos_last:] = float("inf")
    dist = dist.max(dim=2).values
    pairwise &= (dist > lower[:, None]) & (dist < upper[:, None])
    areas = (gts[:, 2] - gts[:, 0]) * (gts[:, 3] - gts[:, 1])
    value, index = (pairwise.to(torch.float32) * (1e8 - areas[None, :])).max(dim=1)
    index[value < 1e-5] = -1
    return index


fcos_last = 0


def assign(kind, width, height, gts):
    global fcos_last
    g = torch.from_numpy(gts)
    if kind == "fcos":
        maps = maps_of(width, height, RETINA)
        a = anchors_of(fcos, width, height, maps)
        fcos_last = maps[-1][0] * maps[-1][1]
        return a, fcos_match(a, g, maps[0][0] * maps[0][1])
    if kind == "ssd":
        a = anchors_of(ssd, 300, 300, SSD_MAPS)
        return a, utils.SSDMatcher(0.5)(box_iou(g, a))
    strides, generator, high, low, allow = {
        "retinanet": (RETINA, retina, 0.5, 0.4, True),
        "rpn": (RPN, rpn, 0.7, 0.3, True),
        "roi": (RPN, rpn, 0.5, 0.5, False),
    }[kind]
    a = anchors_of(generator, width, height, maps_of(width, height, strides))
    return a, utils.Matcher(high, low, allow)(box_iou(g, a))


def case(kind, width, height, gts):
    a, matched = assign(kind, width, height, gts)
    m = matched.numpy()
    out = {"kind": kind, "positives": int((m >= 0).sum()), "ignored": int((m == -2).sum()), "digest": sets.digest(m)}
    if kind == "fcos":
        pos = torch.where(matched >= 0)[0]
        enc = utils.BoxLinearCoder(True).encode(a[pos].double(), torch.from_numpy(gts)[matched[pos]].double())
        return out | {"encoded": {"sumAbs": float(enc.double().abs().sum()), "first": enc[:6].flatten().tolist()}}
    weights = (10.0, 10.0, 5.0, 5.0) if kind == "ssd" else (1.0, 1.0, 1.0, 1.0)
    return out | {"encoded": deltas(a, torch.from_numpy(gts), matched, weights)}


def random_cases():
    out = []
    for i, (w, h, n) in enumerate([(800, 800, 100), (640, 480, 1), (640, 480, 7), (1088, 800, 40), (417, 333, 25)]):
        for kind in ("retinanet", "rpn", "roi", "fcos"):
            seed = 1000 + 10 * i
            out.append({"seed": seed, "count": n, "width": w, "height": h} | case(kind, w, h, sets.ground_truths(seed, n, w, h)))
    for i, n in enumerate([1, 5, 30, 120]):
        seed = 2000 + 10 * i
        out.append({"seed": seed, "count": n, "width": 300, "height": 300} | case("ssd", 300, 300, sets.ground_truths(seed, n, 300, 300)))
    return out


def real_cases():
    out = []
    for name, images in sets.real_sets():
        for kind in ("retinanet", "rpn", "ssd", "fcos"):
            digests, positives, total = [], 0, 0.0
            for w, h, boxes, _ in images:
                b = boxes
                if kind == "ssd":
                    b = (boxes.astype(np.float64) * np.array([300 / w, 300 / h] * 2)).astype(np.float32)
                got = case(kind, sets.padded(w), sets.padded(h), b)
                digests.append(got["digest"] & 0x7FFFFFFF)
                positives += got["positives"]
                total += got["encoded"]["sumAbs"]
            out.append({"set": name, "kind": kind, "images": len(images), "positives": positives, "digest": sets.digest(digests), "sumAbs": total})
    return out


result = {"versions": sets.versions(torch, torchvision, np), "anchors": anchors(), "random": random_cases(), "real": real_cases() if sets.DATA else []}
with open(os.path.join(os.path.dirname(__file__), "torchvision.json"), "w") as file:
    json.dump(result, file, separators=(",", ":"))
    file.write("\n")
