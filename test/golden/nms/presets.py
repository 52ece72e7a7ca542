"""What each library makes of boxes and class scores, from end to end: writes presets.json.

torchvision: its own RoIHeads.postprocess_detections, the softmax replaced by the given probabilities and the coder by the
given boxes. supervision: its own Detections.with_nms. Ultralytics ops.non_max_suppression, mmdetection multiclass_nms with
mmcv batched_nms, and TensorFlow combined_non_max_suppression are restated; their inner NMS is torchvision.ops.nms (the same
float32 arithmetic and order). An output is its length and the hash of box * classes + class, in the library's order.

Run (torch 1.13.1, torchvision 0.14.1; supervision 0.31.2 from a second interpreter):
  python3 presets.py && python3 presets.py supervision
"""
import json
import os
import sys

import numpy as np

from sets import make_set

HERE = os.path.dirname(os.path.abspath(__file__))
PATH = os.path.join(HERE, "presets.json")
# seed, kind, boxes, classes
SETS = [
    (8001, "detector", 300, 5),
    (8002, "uniform", 200, 3),
    (8003, "detector", 400, 80),
    (8004, "negative", 150, 4),
    (8005, "detector", 2500, 6),
    (8006, "detector", 3, 2),
    (8007, "integer", 500, 1),
    (8008, "uniform", 0, 3),
    (8016, "degenerate", 200, 4),
]


def class_scores(seed, count, classes):
    """Distinct probabilities: one class of a box is likely, the others a fifth of that."""
    k = np.arange(count * classes, dtype=np.int64)
    value = ((k + 1) * 7919 * (seed % 97 + 1)) % 1000003 / 1000003
    likely = (k // classes) % classes == k % classes
    return np.where(likely, value, value * 0.2).astype(np.float32).reshape(count, classes)


def summary(boxes, labels, classes):
    value = 0x811C9DC5
    for index in np.asarray(boxes, np.int64) * classes + np.asarray(labels, np.int64):
        value = ((value ^ int(index)) * 0x01000193) & 0xFFFFFFFF
    rows = [[int(b), int(c)] for b, c in zip(boxes[:5], labels[:5])]
    return dict(count=len(boxes), hash=value, rows=rows)


def load():
    if os.path.exists(PATH):
        with open(PATH) as file:
            return json.load(file)
    return {}


def save(golden):
    with open(PATH, "w") as file:
        json.dump(golden, file, indent=1)
        file.write("\n")


def ultralytics(boxes, scores, conf, iou, multi_label, agnostic=False, max_det=300, max_nms=30000, max_wh=7680):
    """non_max_suppression of one image, rows (box, conf, class); extra column: index of the box."""
    import torch
    from torchvision.ops import nms

    classes = scores.shape[1]
    multi_label &= classes > 1
    candidates = scores.amax(1) > conf
    index = torch.arange(len(scores))[candidates]
    box, cls = boxes[candidates], scores[candidates]
    if not len(box):
        return [], []
    if multi_label:
        i, j = torch.where(cls > conf)
        x, s, c, index = box[i], cls[i, j], j.float(), index[i]
    else:
        s, j = cls.max(1)
        keep = s > conf
        x, s, c, index = box[keep], s[keep], j[keep].float(), index[keep]
    if len(s) > max_nms:
        order = s.argsort(descending=True)[:max_nms]
        x, s, c, index = x[order], s[order], c[order], index[order]
    offset = c[:, None] * (0 if agnostic else max_wh)
    keep = nms(x + offset, s, iou)[:max_det]
    return index[keep].tolist(), c[keep].int().tolist()


def batched_nms(boxes, scores, labels, iou, split_thr=10000):
    """mmcv.ops.batched_nms for type 'nms': keep."""
    import torch
    from torchvision.ops import nms

    offsets = labels.to(boxes) * (boxes.max() + torch.tensor(1).to(boxes))
    moved = boxes + offsets[:, None]
    if len(moved) < split_thr:
        return nms(moved, scores, iou)
    mask = torch.zeros(len(scores), dtype=torch.bool)
    for label in torch.unique(labels):
        own = (labels == label).nonzero().view(-1)
        mask[own[nms(moved[own], scores[own], iou)]] = True
    keep = mask.nonzero().view(-1)
    return keep[scores[keep].argsort(descending=True)]


def mmdetection(boxes, scores, score_thr=0.05, iou=0.5, max_num=100):
    """multiclass_nms without the background column."""
    import torch

    classes = scores.shape[1]
    flat = scores.reshape(-1)
    rows = (flat > score_thr).nonzero().squeeze(1)
    if not len(rows):
        return [], []
    index, labels = torch.div(rows, classes, rounding_mode="floor"), rows % classes
    keep = batched_nms(boxes[index], flat[rows], labels, iou)[:max_num]
    return index[keep].tolist(), labels[keep].tolist()


def torchvision_roi(boxes, scores, size):
    """The real RoIHeads.postprocess_detections on given probabilities; every class has the box of its row."""
    import torch
    from torchvision.models.detection import roi_heads

    count, classes = scores.shape

    class Coder:
        def decode(self, regression, proposals):
            return regression.reshape(count, classes + 1, 4)

    head = roi_heads.RoIHeads(None, None, None, 0.5, 0.5, 1, 0.5, None, 0.05, 0.5, 100)
    head.box_coder = Coder()
    with_background = torch.cat([torch.zeros(count, 1), scores], 1)
    # rows are found again by their scores, which are distinct among those that are kept
    original = roi_heads.F.softmax
    roi_heads.F.softmax = lambda x, dim: x
    try:
        regression = boxes[:, None].repeat(1, classes + 1, 1)
        found, kept, labels = head.postprocess_detections(with_background, regression, [boxes], [size])
    finally:
        roi_heads.F.softmax = original
    place = {float(v): i for i, v in enumerate(scores.reshape(-1))}
    return [place[float(s)] // classes for s in kept[0]], (labels[0] - 1).tolist()


def tensorflow(boxes, scores, iou=0.6, score=0.0, per_class=100, total=100):
    """combined_non_max_suppression of one image: greedy a class, then the best of all."""
    import torch
    from torchvision.ops import nms

    found = []
    for c in range(scores.shape[1]):
        rows = (scores[:, c] > score).nonzero().view(-1)
        for row in rows[nms(boxes[rows], scores[rows, c], iou)][:per_class].tolist():
            found.append((-float(scores[row, c]), row, c))
    found.sort(key=lambda f: f[0])
    return [f[1] for f in found[:total]], [f[2] for f in found[:total]]


def probiou(a, b, eps=1e-7):
    """Ultralytics batch_probiou of xywhr boxes, float64."""

    def covariance(box):
        w, h, angle = box[:, 2] ** 2 / 12, box[:, 3] ** 2 / 12, box[:, 4]
        c, s = np.cos(angle), np.sin(angle)
        return w * c**2 + h * s**2, w * s**2 + h * c**2, (w - h) * c * s

    x1, y1, x2, y2 = a[:, None, 0], a[:, None, 1], b[None, :, 0], b[None, :, 1]
    a1, b1, c1 = (v[:, None] for v in covariance(a))
    a2, b2, c2 = (v[None] for v in covariance(b))
    bottom = (a1 + a2) * (b1 + b2) - (c1 + c2) ** 2
    t1 = ((a1 + a2) * (y1 - y2) ** 2 + (b1 + b2) * (x1 - x2) ** 2) / (bottom + eps) * 0.25
    t2 = (c1 + c2) * (x2 - x1) * (y1 - y2) / (bottom + eps) * 0.5
    root = np.sqrt(np.clip(a1 * b1 - c1**2, 0, None) * np.clip(a2 * b2 - c2**2, 0, None))
    t3 = np.log(bottom / (4 * root + eps) + eps) * 0.5
    distance = np.clip(t1 + t2 + t3, eps, 100)
    return 1 - np.sqrt(1 - np.exp(-distance) + eps)


def ultralytics_obb(boxes, scores, seed, conf=0.25, iou=0.7, max_det=300):
    """non_max_suppression(rotated=True): TorchNMS.fast_nms, classes apart by 7680 pixels."""
    labels, best = scores.argmax(1), scores.max(1)
    rows = np.nonzero(best > np.float32(conf))[0]
    rows = rows[np.argsort(-best[rows], kind="stable")]
    box = boxes[rows].astype(np.float64)
    angles = angles_of(seed, len(boxes))[rows].astype(np.float64)
    xywhr = np.stack(
        [
            (box[:, 0] + box[:, 2]) / 2 + labels[rows] * 7680,
            (box[:, 1] + box[:, 3]) / 2 + labels[rows] * 7680,
            box[:, 2] - box[:, 0],
            box[:, 3] - box[:, 1],
            angles,
        ],
        1,
    )
    overlap = np.triu(probiou(xywhr, xywhr), 1)
    kept = rows[(overlap >= iou).sum(0) <= 0][:max_det]
    return kept.tolist(), labels[kept].tolist()


def angles_of(seed, count):
    """Quarter turns either way in steps of 1/64."""
    return (((np.arange(count) * 37 + seed) % 201 - 100) / 64).astype(np.float32)


def torch_goldens():
    import torch

    golden = load()
    for seed, kind, count, classes in SETS:
        boxes, _, _ = make_set(seed, kind, count, classes)
        scores = class_scores(seed, count, classes)
        b, s = torch.from_numpy(boxes), torch.from_numpy(scores)
        case = golden.setdefault(str(seed), {})
        case.update(kind=kind, boxes=count, classes=classes)
        results = {
            "ultralytics": ultralytics(b, s, 0.25, 0.7, False),
            "ultralytics-val": ultralytics(b, s, 0.001, 0.7, True),
            "ultralytics-agnostic": ultralytics(b, s, 0.25, 0.45, False, agnostic=True),
            "mmdetection": mmdetection(b, s),
            "tensorflow": tensorflow(b, s),
        }
        if kind == "detector":
            results["ultralytics-obb"] = ultralytics_obb(boxes, scores, seed)
        if count:
            results["torchvision"] = torchvision_roi(b, s, (600, 700))
        for name, (index, labels) in results.items():
            case[name] = summary(index, labels, classes)
    save(golden)


def supervision_goldens():
    import supervision as sv

    golden = load()
    for seed, kind, count, classes in SETS:
        boxes, _, _ = make_set(seed, kind, count, classes)
        scores = class_scores(seed, count, classes)
        if not count:
            continue
        labels = scores.argmax(1)
        found = sv.Detections(
            xyxy=boxes, confidence=scores.max(1), class_id=labels, data={"row": np.arange(count)}
        )
        kept = found.with_nms()
        golden[str(seed)]["supervision"] = summary(kept.data["row"], kept.class_id, classes)
    save(golden)


if __name__ == "__main__":
    supervision_goldens() if sys.argv[1:] == ["supervision"] else torch_goldens()
