"""Task-aligned assignment (TOOD) and the loss: soft binary cross-entropy on classes, CIoU on boxes."""
import math

import torch
import torch.nn.functional as F

# Alignment is score^ALPHA * IoU^BETA; the TOP cells of a digit learn it.
ALPHA, BETA, TOP = 0.5, 4.0, 8
BOX_WEIGHT = 2.5


def corners(boxes):
    half = boxes[..., 2:] / 2
    return torch.cat([boxes[..., :2] - half, boxes[..., :2] + half], -1)


def pairwise_iou(a, b):
    """[N, G, 4] and [N, A, 4] corners to [N, G, A]."""
    a, b = a[:, :, None], b[:, None]
    size = (torch.minimum(a[..., 2:], b[..., 2:]) - torch.maximum(a[..., :2], b[..., :2])).clamp(min=0)
    shared = size[..., 0] * size[..., 1]
    area_a = (a[..., 2] - a[..., 0]) * (a[..., 3] - a[..., 1])
    area_b = (b[..., 2] - b[..., 0]) * (b[..., 3] - b[..., 1])
    return shared / (area_a + area_b - shared + 1e-7)


def ciou(a, b):
    """Complete IoU of aligned corners [P, 4]; alpha of the aspect term is detached, as in the paper's code."""
    size = (torch.minimum(a[:, 2:], b[:, 2:]) - torch.maximum(a[:, :2], b[:, :2])).clamp(min=0)
    shared = size[:, 0] * size[:, 1]
    wh_a, wh_b = a[:, 2:] - a[:, :2], b[:, 2:] - b[:, :2]
    iou = shared / (wh_a.prod(1) + wh_b.prod(1) - shared + 1e-7)
    enclosing = torch.maximum(a[:, 2:], b[:, 2:]) - torch.minimum(a[:, :2], b[:, :2])
    distance = ((a[:, :2] + a[:, 2:] - b[:, :2] - b[:, 2:]) ** 2).sum(1) / 4
    aspect = 4 / math.pi**2 * (torch.atan(wh_a[:, 0] / wh_a[:, 1]) - torch.atan(wh_b[:, 0] / wh_b[:, 1])) ** 2
    with torch.no_grad():
        alpha = aspect / (1 - iou + aspect + 1e-7)
    return iou - distance / ((enclosing**2).sum(1) + 1e-7) - alpha * aspect


@torch.no_grad()
def assign(boxes, scores, centres, strides, truth_boxes, truth_classes):
    """Which digit each cell learns. Returns the digit's index [N, A] (-1: none) and the target score [N, A]."""
    valid = truth_classes >= 0
    iou = pairwise_iou(truth_boxes, boxes)
    index = truth_classes.clamp(min=0)[..., None].expand(-1, -1, boxes.shape[1])
    score = scores.transpose(1, 2).gather(1, index)
    # Cells inside the box, or within 0.75 stride of its centre: a thin 1 may hold no cell centre at all.
    middle = (truth_boxes[..., :2] + truth_boxes[..., 2:])[:, :, None] / 2
    reach = torch.maximum((truth_boxes[..., 2:] - truth_boxes[..., :2])[:, :, None] / 2, 0.75 * strides)
    inside = ((centres - middle).abs() < reach).all(-1) & valid[..., None]
    aligned = (score + 1e-4) ** ALPHA * (iou + 1e-4) ** BETA * inside
    top = aligned.topk(TOP, dim=2)
    chosen = torch.zeros_like(aligned).scatter_(2, top.indices, 1.0) * (aligned > 0)
    # A cell that several digits chose goes to the one it overlaps most.
    owner = (chosen * (iou + 1e-4)).argmax(1, keepdim=True)
    chosen = chosen * torch.zeros_like(chosen).scatter_(1, owner, 1.0)
    aligned = aligned * chosen
    best = aligned.amax(2, keepdim=True)
    target = aligned / (best + 1e-9) * (iou * chosen).amax(2, keepdim=True)
    taken = chosen.amax(1) > 0
    return torch.where(taken, owner[:, 0], -1), target.amax(1)


def detection_loss(raw, boxes, centres, strides, labels):
    """Raw outputs [N, A, 4 + classes], decoded boxes and labels [N, G, 5] to (class loss, box loss)."""
    truth_classes, truth_boxes = labels[..., 0].long(), labels[..., 1:]
    predicted = corners(boxes)
    owner, target = assign(
        predicted.detach(), raw[..., 4:].detach().sigmoid(), centres, strides, truth_boxes, truth_classes
    )
    positive = owner >= 0
    image, cell = positive.nonzero(as_tuple=True)
    digit = owner[image, cell]
    weight = target[image, cell]
    targets = torch.zeros_like(raw[..., 4:])
    targets[image, cell, truth_classes[image, digit]] = weight
    total = weight.sum().clamp(min=1)
    class_loss = F.binary_cross_entropy_with_logits(raw[..., 4:], targets, reduction="sum") / total
    box_loss = ((1 - ciou(predicted[image, cell], truth_boxes[image, digit])) * weight).sum() / total
    return class_loss, BOX_WEIGHT * box_loss


