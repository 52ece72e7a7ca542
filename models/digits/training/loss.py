"""The loss of fixed assignments: quality focal loss on classes, 1 - GIoU, DIoU or CIoU on boxes.

Restated from boxops (`qualityFocalLoss`, `iouLoss`); check.py compares the two during training.
"""
import math

import torch
import torch.nn.functional as F

BOX_WEIGHT = 2.0
EPS = 1e-7


def corners(boxes):
    half = boxes[..., 2:] / 2
    return torch.cat([boxes[..., :2] - half, boxes[..., :2] + half], -1)


def aligned_iou(a, b):
    """IoU and union of aligned corners [P, 4]."""
    size = (torch.minimum(a[:, 2:], b[:, 2:]) - torch.maximum(a[:, :2], b[:, :2])).clamp(min=0)
    shared = size.prod(1)
    union = (a[:, 2:] - a[:, :2]).prod(1) + (b[:, 2:] - b[:, :2]).prod(1) - shared
    return shared / union, union


def similarity(metric, a, b):
    """GIoU, DIoU or CIoU of aligned corners [P, 4] as torchvision's losses have them; CIoU's alpha is detached."""
    size = (torch.minimum(a[:, 2:], b[:, 2:]) - torch.maximum(a[:, :2], b[:, :2])).clamp(min=0)
    shared = size.prod(1)
    wh_a, wh_b = a[:, 2:] - a[:, :2], b[:, 2:] - b[:, :2]
    union = wh_a.prod(1) + wh_b.prod(1) - shared
    iou = shared / (union + EPS)
    hull = torch.maximum(a[:, 2:], b[:, 2:]) - torch.minimum(a[:, :2], b[:, :2])
    if metric == "giou":
        area = hull.prod(1)
        return iou - (area - union) / (area + EPS)
    distance = ((a[:, :2] + a[:, 2:] - b[:, :2] - b[:, 2:]) ** 2).sum(1) / 4 / ((hull**2).sum(1) + EPS)
    if metric == "diou":
        return iou - distance
    angle = torch.atan(wh_b[:, 0] / wh_b[:, 1]) - torch.atan(wh_a[:, 0] / wh_a[:, 1])
    aspect = 4 / math.pi**2 * angle**2
    with torch.no_grad():
        alpha = aspect / (1 - iou + aspect + EPS)
    return iou - distance - alpha * aspect


def quality_focal(logits, qualities):
    """Sum of |y - sigmoid(x)|^2 BCE(x, y)."""
    entropy = F.binary_cross_entropy_with_logits(logits, qualities, reduction="none")
    return ((qualities - logits.sigmoid()) ** 2 * entropy).sum()


def detection_loss(raw, boxes, positives, metric):
    """Raw outputs [N, A, 4 + classes], decoded boxes [N, A, 4] and positive cells to the two losses and their inputs.

    A positive cell's quality is the IoU of its box with its digit's; it weighs the box loss, too.
    """
    image, cell, digit, truth = positives
    predicted = corners(boxes[image, cell])
    quality = aligned_iou(predicted.detach(), truth)[0]
    logits = raw[..., 4:]
    qualities = torch.zeros_like(logits)
    qualities[image, cell, digit] = quality
    class_loss = quality_focal(logits, qualities) / max(1, len(cell))
    total = quality.sum().clamp(min=1)
    box_loss = ((1 - similarity(metric, predicted, truth)) * quality).sum() / total
    inputs = {"logits": logits, "qualities": qualities, "predicted": predicted, "truth": truth, "weights": quality}
    return class_loss, box_loss, inputs
