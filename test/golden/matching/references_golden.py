"""Assignments by the restated references: python references_golden.py (BOXOPS_TEST_DATA for the real sets)."""
import json
import os

import numpy as np
import torch
import torchvision

import references as ref
import sets

torch.set_num_threads(1)
CLASSES = 5
ANCHORS = [[10, 13, 16, 30, 33, 23], [30, 61, 62, 45, 59, 119], [116, 90, 156, 198, 373, 326]]


def grid(width, height, strides, offset):
    points, sizes, levels = [], [], []
    for k, s in enumerate(strides):
        w, h = -(-width // s), -(-height // s)
        y, x = np.meshgrid(np.arange(h), np.arange(w), indexing="ij")
        points.append(np.stack([x.reshape(-1), y.reshape(-1)], 1) * s + offset * s)
        sizes.append(np.full(w * h, s))
        levels.append(np.full(w * h, k))
    return np.concatenate(points).astype(np.float64), np.concatenate(sizes), np.concatenate(levels)


def squares(points, sides):
    half = (sides / 2)[:, None]
    return torch.from_numpy(np.concatenate([points - half, points + half], 1).astype(np.float32))


def yolo_boxes(width, height):
    out = []
    for a, s in zip(ANCHORS, (8, 16, 32)):
        p, sizes, _ = grid(width, height, [s], 0.5)
        wh = np.array(a, dtype=np.float64).reshape(-1, 2)
        b = np.concatenate([p[:, None] - wh[None] / 2, p[:, None] + wh[None] / 2], 2)
        out.append(b.reshape(-1, 4))
    return torch.from_numpy(np.concatenate(out).astype(np.float32))


def summary(index, weights=None):
    v = index.numpy()
    out = {"positives": int((v >= 0).sum()), "ignored": int((v == -2).sum()), "digest": sets.digest(v)}
    if weights is not None:
        w = weights.double()
        out |= {"weightSum": float(w.sum()), "weights": w[torch.where(index >= 0)[0][:6]].tolist()}
    return out


def all_methods(width, height, gts, labels, seed):
    g, lab = torch.from_numpy(gts), torch.tensor(labels)
    p5, s5, l5 = grid(width, height, [8, 16, 32, 64, 128], 0.5)
    counts = [int((l5 == k).sum()) for k in range(5)]
    c5, c0 = [torch.from_numpy(a.astype(np.float32)) for a in (p5, grid(width, height, [8, 16, 32], 0)[0])]
    p3, s3, _ = grid(width, height, [8, 16, 32], 0.5)
    c3 = torch.from_numpy(p3.astype(np.float32))
    t3, t5 = [torch.from_numpy(s.astype(np.float32)) for s in (s3, s5)]
    boxes, scores = [torch.from_numpy(a) for a in sets.predictions(seed + 100, p3, gts, CLASSES)]
    logits = (scores - 0.5) * 8
    out = {}
    anchors = squares(p5 - 0.5 * s5[:, None], 8.0 * s5)
    out["atss"] = summary(ref.atss(anchors, counts, g))
    out["atss mmyolo"] = summary(ref.atss(squares(p5, 5.0 * s5), counts, g, strict=True, margin=1e-9))
    out["fcos"] = summary(ref.fcos(c5, t5, torch.from_numpy(l5), g, 1.5))
    out["fcos no centre"] = summary(ref.fcos(c5, t5, torch.from_numpy(l5), g))
    out["simota yolox"] = summary(ref.sim_ota(c3, t3, boxes, scores, g, lab, "yolox"))
    out["simota mmdetection"] = summary(ref.sim_ota(c0, t3, boxes, scores, g, lab, "mmdetection"))
    out["dsl"] = summary(ref.dsl(c0, t3, boxes, logits, g, lab))
    for rule in ("ultralytics", "mmyolo", "mmdetection"):
        out[f"tal {rule}"] = summary(*ref.tal(c3, boxes, scores, g, lab, rule))
    out["max-iou retinanet"] = summary(ref.max_iou(anchors, g, 0.5, 0.4, 0.0))
    out["max-iou rpn"] = summary(ref.max_iou(anchors, g, 0.7, 0.3, 0.3))
    out["max-iou ssd"] = summary(ref.max_iou(anchors, g, 0.5, 0.5, 0.0, assign_all=False))
    out["max-iou range"] = summary(ref.max_iou(anchors, g, 0.5, (0.1, 0.4), 0.0))
    half = max(1, len(gts) // 2)
    out["max-iou ignore"] = summary(ref.max_iou(anchors, g[:half], 0.5, 0.4, 0.0, ignore=g[half:], ignore_thr=0.5))
    out["max-iou ignore region"] = summary(ref.max_iou(anchors, g[:half], 0.5, 0.4, 0.0, ignore=g[half:], ignore_thr=0.5, wrt_candidates=False))
    prior, gt = ref.yolov5(g, lab, ANCHORS, (8, 16, 32), width, height)
    out["yolov5"] = {"positives": len(prior), "ignored": 0, "digest": sets.digest(np.concatenate([prior.numpy(), gt.numpy()]))}
    one = squares(grid(width, height, [32], 0.5)[0], np.full(len(grid(width, height, [32], 0.5)[0]), 128.0))
    pred = torch.from_numpy(sets.predictions(seed + 200, grid(width, height, [32], 0.5)[0], gts, 1)[0])
    out["uniform"] = summary(ref.uniform(one, pred, g))
    return out


def labels_of(seed, count):
    return sets.integers(seed + 7, count, CLASSES).tolist()


SCENES = [(320, 256, 1), (320, 256, 6), (640, 480, 20), (417, 333, 60), (256, 512, 120)]


def write(name, methods_of, versions, **rest):
    """Runs the methods on the seeded and the real scenes and writes <name>.json."""
    random = []
    for i, (w, h, n) in enumerate(SCENES):
        seed = 5000 + 1000 * i
        random.append({"seed": seed, "width": w, "height": h, "count": n, "methods": methods_of(w, h, sets.ground_truths(seed, n, w, h), labels_of(seed, n), seed)})
    real = []
    for set_name, images in sets.real_sets() if sets.DATA else []:
        methods = {}
        for i, (w, h, boxes, classes) in enumerate(images[:40]):
            got = methods_of(sets.padded(w), sets.padded(h), boxes, [c % CLASSES for c in classes], 20000 + 1000 * i)
            for method, result in got.items():
                entry = methods.setdefault(method, {"positives": 0, "ignored": 0, "digests": []})
                entry["positives"] += result["positives"]
                entry["ignored"] += result["ignored"]
                entry["digests"].append(result["digest"] & 0x7FFFFFFF)
        for entry in methods.values():
            entry["digest"] = sets.digest(entry.pop("digests"))
        real.append({"set": set_name, "images": len(images[:40]), "methods": methods})
    with open(os.path.join(os.path.dirname(__file__), f"{name}.json"), "w") as file:
        json.dump({"versions": versions, "random": random, "real": real, **rest}, file, separators=(",", ":"))
        file.write("\n")


if __name__ == "__main__":
    write("references", all_methods, sets.versions(torch, torchvision, np))
