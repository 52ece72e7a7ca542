"""Average precision (101 points) on a validation shard, to watch the training.

The figures of the model card are not these: they come from the exported file, through boxops.
"""
import numpy as np
import torch
from torchvision.ops import batched_nms, box_iou

from data import shard, to_tensor
from loss import corners
from model import CLASSES, cells, decode, flatten

STRICT = tuple(np.arange(0.5, 1.0, 0.05).round(2))


@torch.no_grad()
def mean_average_precision(model, folder, scenes=300, threshold=0.01, overlaps=(0.5,)):
    """Mean over the digits, a number for each IoU in `overlaps`."""
    images, labels = shard(folder, 0)
    records = [[[] for _ in range(CLASSES)] for _ in overlaps]
    totals = np.zeros(CLASSES)
    for start in range(0, scenes, 50):
        maps = model(to_tensor(images[start : start + 50]))
        raw = flatten(maps)
        boxes, scores = corners(decode(raw[..., :4], *cells(maps))), raw[..., 4:].sigmoid()
        for offset in range(raw.shape[0]):
            truth = torch.from_numpy(labels[start + offset])
            truth = truth[truth[:, 0] >= 0]
            for digit in truth[:, 0].long().tolist():
                totals[digit] += 1
            cell, digit = (scores[offset] > threshold).nonzero(as_tuple=True)
            kept = batched_nms(boxes[offset, cell], scores[offset, cell, digit], digit, 0.6)[:100]
            cell, digit = cell[kept], digit[kept]
            for overlap, record in zip(overlaps, records):
                match(boxes[offset, cell], scores[offset, cell, digit], digit, truth, overlap, record)
    return [float(np.mean([average_precision(r[c], totals[c]) for c in range(CLASSES)])) for r in records]


def match(boxes, scores, digits, truth, overlap, records):
    """Greedy by score: each digit is found once."""
    if len(truth) == 0:
        iou = np.zeros((len(boxes), 1))
    else:
        iou = (box_iou(boxes, truth[:, 1:]) * (digits[:, None] == truth[:, 0].long()[None])).numpy()
    for values, score, digit in zip(iou, scores.tolist(), digits.tolist()):
        best = int(values.argmax())
        hit = bool(values[best] >= overlap)
        if hit:
            iou[:, best] = 0
        records[digit].append((score, hit))


def average_precision(records, total):
    if not records or total == 0:
        return 0.0
    hits = np.array([hit for _, hit in sorted(records, key=lambda item: -item[0])])
    recall = np.cumsum(hits) / total
    precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    at = np.searchsorted(recall, np.linspace(0, 1, 101), side="left")
    return float(np.mean([envelope[i] if i < len(envelope) else 0.0 for i in at]))
