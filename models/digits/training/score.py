"""Mean average precision at IoU 0.5 (101 points) on a validation shard, to watch the training.

The figures of the model card are not these: they come from the exported file, through boxops.
"""
import numpy as np
import torch
from torchvision.ops import batched_nms, box_iou

from data import shard, to_tensor
from loss import corners
from model import CLASSES, cells, decode, flatten


@torch.no_grad()
def mean_average_precision(model, folder, scenes=300, threshold=0.01):
    images, labels = shard(folder, 0)
    records = [[] for _ in range(CLASSES)]
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
            match(boxes[offset, cell[kept]], scores[offset, cell[kept], digit[kept]], digit[kept], truth, records)
    return float(np.mean([average_precision(records[c], totals[c]) for c in range(CLASSES)]))


def match(boxes, scores, digits, truth, records):
    if len(truth) == 0:
        iou = torch.zeros(len(boxes), 1)
    else:
        iou = box_iou(boxes, truth[:, 1:]) * (digits[:, None] == truth[:, 0].long()[None])
    taken = set()
    for row in range(len(boxes)):
        values = iou[row].clone()
        for index in taken:
            values[index] = 0
        best = int(values.argmax())
        hit = float(values[best]) >= 0.5
        if hit:
            taken.add(best)
        records[int(digits[row])].append((float(scores[row]), hit))


def average_precision(records, total):
    if not records or total == 0:
        return 0.0
    hits = np.array([hit for _, hit in sorted(records, key=lambda item: -item[0])])
    recall = np.cumsum(hits) / total
    precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    at = np.searchsorted(recall, np.linspace(0, 1, 101), side="left")
    return float(np.mean([envelope[i] if i < len(envelope) else 0.0 for i in at]))
