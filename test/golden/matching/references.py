"""mmdetection's, mmyolo's, YOLOX's and ultralytics' assigners restated in torch, in float32 as they run.

Where they call topk the choice among equal values is unspecified; here it is a stable sort: the lower index first.
"""
import math

import torch
from torchvision.ops import box_iou

INF = 1e8


def topk(values, k, largest, dim=0):
    return torch.sort(values, dim=dim, descending=largest, stable=True)[1].narrow(dim, 0, k)


def max_iou(priors, gts, pos, neg, min_pos, low_quality=True, assign_all=True, ignore=None, ignore_thr=-1.0, wrt_candidates=True):
    """mmdet MaxIoUAssigner -> gt index, -1 background, -2 ignored."""
    overlaps = box_iou(gts, priors)
    if ignore is not None and len(ignore) and ignore_thr > 0:
        lt = torch.max(priors[:, None, :2], ignore[None, :, :2])
        rb = torch.min(priors[:, None, 2:], ignore[None, :, 2:])
        wh = (rb - lt).clamp(min=0)
        inter = wh[..., 0] * wh[..., 1]
        of = priors if wrt_candidates else ignore
        area = (of[:, 2] - of[:, 0]) * (of[:, 3] - of[:, 1])
        iof = inter / (area[:, None] if wrt_candidates else area[None, :])
        overlaps[:, iof.max(1)[0] > ignore_thr] = -1
    assigned = torch.full((len(priors),), -1, dtype=torch.long)
    best, arg = overlaps.max(0)
    gt_best, gt_arg = overlaps.max(1)
    if isinstance(neg, float):
        assigned[(best >= 0) & (best < neg)] = 0
    else:
        assigned[(best >= neg[0]) & (best < neg[1])] = 0
    assigned[best >= pos] = arg[best >= pos] + 1
    if low_quality:
        for i in range(len(gts)):
            if gt_best[i] >= min_pos:
                if assign_all:
                    assigned[overlaps[i] == gt_best[i]] = i + 1
                else:
                    assigned[gt_arg[i]] = i + 1
    out = assigned - 1
    out[assigned == -1] = -2
    return out


def atss(priors, level_counts, gts, k=9, strict=False, margin=0.01):
    """mmdet ATSSAssigner (strict and margin 1e-9: mmyolo BatchATSSAssigner)."""
    overlaps = box_iou(priors, gts)
    gcx, gcy = (gts[:, 0] + gts[:, 2]) / 2.0, (gts[:, 1] + gts[:, 3]) / 2.0
    cx, cy = (priors[:, 0] + priors[:, 2]) / 2.0, (priors[:, 1] + priors[:, 3]) / 2.0
    points, centers = torch.stack((cx, cy), 1), torch.stack((gcx, gcy), 1)
    distances = (points[:, None, :] - centers[None, :, :]).pow(2).sum(-1).sqrt()
    idxs, start = [], 0
    for n in level_counts:
        idxs.append(topk(distances[start : start + n], min(k, n), False) + start)
        start += n
    idxs = torch.cat(idxs)
    cand = overlaps[idxs, torch.arange(len(gts))]
    thr = cand.mean(0) + cand.std(0)
    pos = cand > thr[None] if strict else cand >= thr[None]
    sides = torch.stack([cx[idxs] - gts[:, 0], cy[idxs] - gts[:, 1], gts[:, 2] - cx[idxs], gts[:, 3] - cy[idxs]])
    pos &= sides.min(0)[0] > margin
    grid = torch.full_like(overlaps, -INF)
    for g in range(len(gts)):
        j = idxs[:, g][pos[:, g]]
        grid[j, g] = overlaps[j, g]
    value, arg = grid.max(1)
    if strict:  # mmyolo: a contested prior goes to the best of all ground truths
        many = (grid > -INF).sum(1) > 1
        arg[many] = overlaps[many].argmax(1)
    arg[value == -INF] = -1
    return arg


def fcos(points, strides, levels, gts, radius=None):
    """mmdet FCOSHead._get_targets_single; levels: level of each point."""
    ranges = torch.tensor([(-1, 64), (64, 128), (128, 256), (256, 512), (512, INF)])[levels]
    areas = ((gts[:, 2] - gts[:, 0]) * (gts[:, 3] - gts[:, 1]))[None].repeat(len(points), 1)
    xs, ys = points[:, 0, None], points[:, 1, None]
    target = torch.stack((xs - gts[:, 0], ys - gts[:, 1], gts[:, 2] - xs, gts[:, 3] - ys), -1)
    if radius is None:
        inside = target.min(-1)[0] > 0
    else:
        cx, cy = (gts[:, 0] + gts[:, 2]) / 2, (gts[:, 1] + gts[:, 3]) / 2
        s = (strides * radius)[:, None]
        x1 = torch.where(cx - s > gts[:, 0], cx - s, gts[:, 0] + 0 * s)
        y1 = torch.where(cy - s > gts[:, 1], cy - s, gts[:, 1] + 0 * s)
        x2 = torch.where(cx + s > gts[:, 2], gts[:, 2] + 0 * s, cx + s)
        y2 = torch.where(cy + s > gts[:, 3], gts[:, 3] + 0 * s, cy + s)
        inside = torch.stack((xs - x1, ys - y1, x2 - xs, y2 - ys), -1).min(-1)[0] > 0
    longest = target.max(-1)[0]
    in_range = (longest >= ranges[:, :1]) & (longest <= ranges[:, 1:])
    areas[~inside] = INF
    areas[~in_range] = INF
    value, arg = areas.min(1)
    arg[value == INF] = -1
    return arg


def dynamic_k(cost, ious, valid, candidate_topk):
    k_values = torch.sort(ious, 0, descending=True)[0][: min(candidate_topk, len(ious))]
    ks = torch.clamp(k_values.sum(0).int(), min=1)
    matching = torch.zeros_like(cost)
    for g in range(cost.shape[1]):
        matching[topk(cost[:, g], int(min(ks[g], len(cost))), False), g] = 1
    many = matching.sum(1) > 1
    if many.any():
        arg = cost[many].min(1)[1]
        matching[many] = 0
        matching[torch.where(many)[0], arg] = 1
    out = torch.full((len(valid),), -1, dtype=torch.long)
    index = torch.where(valid)[0]
    fg = matching.sum(1) > 0
    out[index[fg]] = matching[fg].argmax(1)
    return out


def bce(p, y):
    return -(y * torch.log(p).clamp(min=-100) + (1 - y) * torch.log(1 - p).clamp(min=-100))


def sim_ota(points, strides, boxes, scores, gts, labels, rule):
    x, y, s = points[:, 0, None], points[:, 1, None], strides[:, None]
    cx, cy = (gts[:, 0] + gts[:, 2]) / 2.0, (gts[:, 1] + gts[:, 3]) / 2.0
    r = 1.5 if rule == "yolox" else 2.5
    center = torch.stack([x - (cx - r * s), y - (cy - r * s), (cx + r * s) - x, (cy + r * s) - y]).min(0)[0] > 0
    box = torch.stack([x - gts[:, 0], y - gts[:, 1], gts[:, 2] - x, gts[:, 3] - y]).min(0)[0] > 0
    if rule == "yolox":
        valid, good, penalty, eps = center.any(1), center, 1e6, 1e-8
    else:
        valid, good, penalty, eps = (box | center).any(1), box & center, 1e5, 1e-7
    ious = box_iou(boxes[valid], gts)
    onehot = torch.nn.functional.one_hot(labels, scores.shape[1]).float()
    cls = bce(scores[valid][:, None].repeat(1, len(gts), 1), onehot[None].repeat(int(valid.sum()), 1, 1)).sum(-1)
    cost = cls + 3.0 * -torch.log(ious + eps) + (~good[valid]) * penalty
    return dynamic_k(cost, ious, valid, 10)


def dsl(points, strides, boxes, logits, gts, labels):
    """mmdet DynamicSoftLabelAssigner."""
    x, y = points[:, 0, None], points[:, 1, None]
    valid = (torch.stack([x - gts[:, 0], y - gts[:, 1], gts[:, 2] - x, gts[:, 3] - y]).min(0)[0] > 0).any(1)
    centers = (gts[:, :2] + gts[:, 2:]) / 2.0
    distance = (points[valid][:, None] - centers[None]).pow(2).sum(-1).sqrt() / strides[valid][:, None]
    prior = torch.pow(10, distance - 3.0)
    ious = box_iou(boxes[valid], gts)
    onehot = torch.nn.functional.one_hot(labels, logits.shape[1]).float()
    pred = logits[valid][:, None].repeat(1, len(gts), 1)
    soft = onehot[None] * ious[..., None]
    cls = torch.nn.functional.binary_cross_entropy_with_logits(pred, soft, reduction="none") * (soft - pred.sigmoid()).abs().pow(2.0)
    return dynamic_k(cls.sum(-1) - torch.log(ious + 1e-7) * 3.0 + prior, ious, valid, 13)


def ciou(a, b, eps=1e-7):
    """ultralytics bbox_iou(CIoU=True) of every pair."""
    a, b = a[:, None], b[None]
    w1, h1 = a[..., 2] - a[..., 0], a[..., 3] - a[..., 1] + eps
    w2, h2 = b[..., 2] - b[..., 0], b[..., 3] - b[..., 1] + eps
    inter = (torch.min(a[..., 2], b[..., 2]) - torch.max(a[..., 0], b[..., 0])).clamp(0) * (
        torch.min(a[..., 3], b[..., 3]) - torch.max(a[..., 1], b[..., 1])
    ).clamp(0)
    iou = inter / (w1 * h1 + w2 * h2 - inter + eps)
    cw = torch.max(a[..., 2], b[..., 2]) - torch.min(a[..., 0], b[..., 0])
    ch = torch.max(a[..., 3], b[..., 3]) - torch.min(a[..., 1], b[..., 1])
    c2 = cw**2 + ch**2 + eps
    rho2 = ((b[..., 0] + b[..., 2] - a[..., 0] - a[..., 2]) ** 2 + (b[..., 1] + b[..., 3] - a[..., 1] - a[..., 3]) ** 2) / 4
    v = (4 / math.pi**2) * (torch.atan(w2 / h2) - torch.atan(w1 / h1)) ** 2
    alpha = v / (v - iou + (1 + eps))
    return iou - (rho2 / c2 + v * alpha)


def tal(points, boxes, scores, gts, labels, rule):
    """-> gt index, soft target of each point."""
    n, m = len(points), len(gts)
    sides = torch.cat((points[None] - gts[:, None, :2], gts[:, None, 2:] - points[None]), 2).amin(2)
    inside = sides > (0.01 if rule == "mmdetection" else 1e-9)
    cls = scores[:, labels].T
    if rule == "ultralytics":
        overlaps = torch.where(inside, ciou(gts, boxes).clamp(0), torch.zeros(m, n))
        align = torch.where(inside, cls, torch.zeros(m, n)).pow(0.5) * overlaps.pow(6.0)
        k, eps = 10, 1e-9
    else:
        overlaps = box_iou(gts, boxes)
        a, k, eps = (1.0, 13, 1e-7) if rule == "mmdetection" else (0.5, 10, 1e-7)
        align = cls.pow(a) * overlaps.pow(6.0)
    ranked = align * inside if rule == "mmyolo" else align
    mask = torch.zeros(m, n).scatter_(1, topk(ranked, min(k, n), True, 1), 1) * inside
    if rule == "mmdetection":
        mask *= align > 0
    many = mask.sum(0) > 1
    if many.any():
        among = torch.where(mask > 0, overlaps, torch.full_like(overlaps, -INF)) if rule == "mmdetection" else overlaps
        one = torch.nn.functional.one_hot(among.argmax(0), m).T.float()
        mask = torch.where(many[None], one, mask)
    index = torch.where(mask.sum(0) > 0, mask.argmax(0), torch.full((n,), -1))
    align = align * mask
    norm = (align * (overlaps * mask).amax(1, True) / (align.amax(1, True) + eps)).amax(0)
    return index, norm


def yolov5(gts, classes, anchors, strides, width, height, ratio=4.0, g=0.5):
    """ultralytics/yolov5 ComputeLoss.build_targets for one image, gts in pixels -> per level (index of prior, gt)."""
    off = torch.tensor([[0, 0], [1, 0], [0, 1], [-1, 0], [0, -1]]).float() * g
    result, start = [], 0
    for a, s in zip(anchors, strides):
        w, h = -(-width // s), -(-height // s)
        anch = torch.tensor(a).float().view(-1, 2) / s
        na = len(anch)
        wh = (gts[:, 2:] - gts[:, :2]) / s
        xy = (gts[:, :2] + gts[:, 2:]) / 2 / s
        t = torch.cat((xy, wh, torch.arange(len(gts)).float()[:, None]), 1).repeat(na, 1, 1)
        t = torch.cat((t, torch.arange(na).float().view(na, 1, 1).repeat(1, len(gts), 1)), 2)
        r = t[..., 2:4] / anch[:, None]
        t = t[torch.max(r, 1 / r).max(2)[0] < ratio]
        gxy = t[:, :2]
        gxi = torch.tensor([w, h]).float() - gxy
        j, k = ((gxy % 1 < g) & (gxy > 1)).T
        l, m = ((gxi % 1 < g) & (gxi > 1)).T
        keep = torch.stack((torch.ones_like(j), j, k, l, m))
        t = t.repeat((5, 1, 1))[keep]
        offsets = (torch.zeros_like(gxy)[None] + off[:, None])[keep]
        gij = (t[:, :2] - offsets).long()
        gi, gj = gij[:, 0].clamp(0, w - 1), gij[:, 1].clamp(0, h - 1)
        prior = start + (gj * w + gi) * na + t[:, 5].long()
        result.append((prior, t[:, 4].long()))
        start += w * h * na
    return torch.cat([p for p, _ in result]), torch.cat([q for _, q in result])


def uniform(anchors, boxes, gts, k=4, pos_ignore=0.15, neg_ignore=0.7):
    """mmdet UniformAssigner -> gt index, -1 background, -2 ignored."""

    def cxcywh(b):
        return torch.stack([(b[:, 0] + b[:, 2]) / 2, (b[:, 1] + b[:, 3]) / 2, b[:, 2] - b[:, 0], b[:, 3] - b[:, 1]], -1)

    def l1(a, b):
        d = (a[:, None] - b[None]).abs()
        return ((d[..., 0] + d[..., 1]) + d[..., 2]) + d[..., 3]

    index = topk(l1(cxcywh(boxes), cxcywh(gts)), k, False)
    index1 = topk(l1(cxcywh(anchors), cxcywh(gts)), k, False)
    indexes = torch.cat((index, index1), 1).reshape(-1)
    out = torch.full((len(anchors),), -1, dtype=torch.long)
    out[box_iou(boxes, gts).max(1)[0] > neg_ignore] = -2
    gt = torch.arange(len(gts)).repeat(k * 2)
    ious = box_iou(anchors, gts)[indexes, gt]
    for i, g, low in zip(indexes.tolist(), gt.tolist(), (ious < pos_ignore).tolist()):
        out[i] = -2 if low else g
    return out
