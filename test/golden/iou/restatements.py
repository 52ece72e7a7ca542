"""IoU variants restated from their papers and libraries in torch, apart from boxops' formulas.

Each takes aligned (N, 4) tensors of predictions and targets and returns N similarities; gradients come from autograd, and
`.detach()` stands where the source has it. A 0/0 that a source forms is left as it is: such pairs are not compared.
"""
import math

import torch


def parts(p, g):
    pw, ph = p[:, 2] - p[:, 0], p[:, 3] - p[:, 1]
    gw, gh = g[:, 2] - g[:, 0], g[:, 3] - g[:, 1]
    iw = (torch.min(p[:, 2], g[:, 2]) - torch.max(p[:, 0], g[:, 0])).clamp(min=0)
    ih = (torch.min(p[:, 3], g[:, 3]) - torch.max(p[:, 1], g[:, 1])).clamp(min=0)
    cw = torch.max(p[:, 2], g[:, 2]) - torch.min(p[:, 0], g[:, 0])
    ch = torch.max(p[:, 3], g[:, 3]) - torch.min(p[:, 1], g[:, 1])
    dx = (p[:, 0] + p[:, 2] - g[:, 0] - g[:, 2]) / 2
    dy = (p[:, 1] + p[:, 3] - g[:, 1] - g[:, 3]) / 2
    return pw, ph, gw, gh, iw * ih, cw, ch, dx, dy


def over(inter, union):
    """I/U, 0 for a pair of boxes without area (no source's 0/0 is wanted)."""
    safe = torch.where(union == 0, torch.ones_like(union), union)
    return torch.where(union == 0, torch.zeros_like(inter), inter / safe)


def plain(p, g, eps=0.0):
    pw, ph, gw, gh, inter, *_ = parts(p, g)
    return over(inter, pw * ph + gw * gh - inter + eps)


def aspect(pw, ph, gw, gh):
    return (4 / math.pi**2) * (torch.atan(gw / gh) - torch.atan(pw / ph)) ** 2


# --- papers -----------------------------------------------------------------------------------------------------------


def iou(p, g):
    return plain(p, g)


def iof(p, g):
    pw, ph, _, _, inter, *_ = parts(p, g)
    return over(inter, pw * ph)


def ioa(p, g):
    _, _, gw, gh, inter, *_ = parts(p, g)
    return over(inter, gw * gh)


def ios(p, g):
    pw, ph, gw, gh, inter, *_ = parts(p, g)
    return over(inter, torch.min(pw * ph, gw * gh))


def giou(p, g):
    pw, ph, gw, gh, inter, cw, ch, *_ = parts(p, g)
    union = pw * ph + gw * gh - inter
    return over(inter, union) - over(cw * ch - union, cw * ch)


def diou(p, g, exponent=1.0, eps=1e-7):
    *_, cw, ch, dx, dy = parts(p, g)
    share = (dx**2 + dy**2) / (cw**2 + ch**2 + eps)
    return plain(p, g) - (share if exponent == 1 else share**exponent)


def ciou(p, g, mode="always", eps=1e-7):
    pw, ph, gw, gh, *_ = parts(p, g)
    v = aspect(pw, ph, gw, gh)
    i = plain(p, g)
    alpha = v / (1 - i + v + eps)
    if mode == "gated":
        alpha = alpha * (i > 0.5)
    if mode != "undetached":
        alpha = alpha.detach()
    return diou(p, g) - alpha * v


def eiou(p, g, eps=1e-7):
    pw, ph, gw, gh, _, cw, ch, _, _ = parts(p, g)
    return diou(p, g) - (pw - gw) ** 2 / (cw**2 + eps) - (ph - gh) ** 2 / (ch**2 + eps)


def siou(p, g):
    """With the paper's arcsin, as YOLOv6 writes it; the distance cost's sign is the paper's."""
    pw, ph, gw, gh, _, cw, ch, dx, dy = parts(p, g)
    sigma = torch.sqrt(dx**2 + dy**2)
    sin1, sin2 = dx.abs() / sigma, dy.abs() / sigma
    sin = torch.where(sin1 > math.sqrt(2) / 2, sin2, sin1)
    angle = torch.cos(2 * torch.asin(sin) - math.pi / 2)
    gamma = 2 - angle
    distance = 2 - torch.exp(-gamma * (dx / cw) ** 2) - torch.exp(-gamma * (dy / ch) ** 2)
    ww = (pw - gw).abs() / torch.max(pw, gw)
    wh = (ph - gh).abs() / torch.max(ph, gh)
    shape = (1 - torch.exp(-ww)) ** 4 + (1 - torch.exp(-wh)) ** 4
    return plain(p, g) - (distance + shape) / 2


def alpha_iou(p, g, a=3.0, eps=1e-9):
    return (plain(p, g) + eps) ** a


def alpha_giou(p, g, a=3.0, eps=1e-9):
    pw, ph, gw, gh, inter, cw, ch, *_ = parts(p, g)
    union = pw * ph + gw * gh - inter
    c = torch.max(cw * ch + eps, union)
    return (over(inter, union) + eps) ** a - ((c - union) / c + eps) ** a


def alpha_distance(p, g, a, eps):
    *_, cw, ch, dx, dy = parts(p, g)
    beta = 2 * a
    rho = ((2 * dx).abs() ** beta + (2 * dy).abs() ** beta) / 2**beta
    return rho / (cw**beta + ch**beta + eps)


def alpha_diou(p, g, a=3.0, eps=1e-9):
    return (plain(p, g) + eps) ** a - alpha_distance(p, g, a, eps)


def alpha_ciou(p, g, a=3.0, eps=1e-9):
    pw, ph, gw, gh, *_ = parts(p, g)
    v = aspect(pw, ph, gw, gh)
    weight = (v / (1 + eps - plain(p, g) + v)).detach()
    return alpha_diou(p, g, a, eps) - (v * weight + eps) ** a


def mpdiou(p, g, width=640.0, height=480.0):
    d1 = (p[:, 0] - g[:, 0]) ** 2 + (p[:, 1] - g[:, 1]) ** 2
    d2 = (p[:, 2] - g[:, 2]) ** 2 + (p[:, 3] - g[:, 3]) ** 2
    return plain(p, g) - d1 / (width**2 + height**2) - d2 / (width**2 + height**2)


def inner_boxes(b, ratio):
    cx, cy = (b[:, 0] + b[:, 2]) / 2, (b[:, 1] + b[:, 3]) / 2
    w, h = (b[:, 2] - b[:, 0]) * ratio / 2, (b[:, 3] - b[:, 1]) * ratio / 2
    return torch.stack([cx - w, cy - h, cx + w, cy + h], 1)


def inner(p, g, base, ratio):
    return base(p, g) + plain(inner_boxes(p, ratio), inner_boxes(g, ratio)) - plain(p, g)


def focaler(p, g, base, d=0.0, u=0.95):
    i = plain(p, g)
    return base(p, g) + ((i - d) / (u - d)).clamp(0, 1) - i


def shape_iou(p, g, scale=0.0, eps=1e-7):
    pw, ph, gw, gh, _, cw, ch, dx, dy = parts(p, g)
    ww = 2 * gw**scale / (gw**scale + gh**scale)
    hh = 2 * gh**scale / (gw**scale + gh**scale)
    distance = (hh * dx**2 + ww * dy**2) / (cw**2 + ch**2 + eps)
    omega_w = hh * (pw - gw).abs() / torch.max(pw, gw)
    omega_h = ww * (ph - gh).abs() / torch.max(ph, gh)
    shape = (1 - torch.exp(-omega_w)) ** 4 + (1 - torch.exp(-omega_h)) ** 4
    return plain(p, g) - distance - 0.5 * shape


def corner_penalty(p, g):
    gw, gh = g[:, 2] - g[:, 0], g[:, 3] - g[:, 1]
    d = (p - g).abs()
    return ((d[:, 0] + d[:, 2]) / gw + (d[:, 1] + d[:, 3]) / gh) / 4


def piou(p, g):
    return 1 - (1 - plain(p, g) + 1 - torch.exp(-corner_penalty(p, g) ** 2))


def piou2(p, g, lam=1.3):
    x = lam * torch.exp(-corner_penalty(p, g))
    return 1 - 3 * x * torch.exp(-(x**2)) * (1 - piou(p, g))


def nwd(p, g, constant=12.8, eps=1e-7):
    pw, ph, gw, gh, _, _, _, dx, dy = parts(p, g)
    return torch.exp(-torch.sqrt(dx**2 + dy**2 + eps + ((pw - gw) ** 2 + (ph - gh) ** 2) / 4) / constant)


# --- libraries --------------------------------------------------------------------------------------------------------


def torchvision_loss(p, g, kind, eps=1e-7):
    """torchvision and fvcore (detectron2): eps on the union, the enclosing area, c² and α."""
    pw, ph, gw, gh, inter, cw, ch, dx, dy = parts(p, g)
    union = pw * ph + gw * gh - inter
    i = inter / (union + eps)
    if kind == "iou":
        return i
    if kind == "giou":
        return i - (cw * ch - union) / (cw * ch + eps)
    d = i - (dx**2 + dy**2) / (cw**2 + ch**2 + eps)
    if kind == "diou":
        return d
    v = aspect(pw, ph, gw, gh)
    return d - (v / (1 - i + v + eps)).detach() * v


def ultralytics(p, g, kind, eps=1e-7):
    """bbox_iou(xywh=False): eps on heights, union, enclosing area, c² and α."""
    w1, h1 = p[:, 2] - p[:, 0], p[:, 3] - p[:, 1] + eps
    w2, h2 = g[:, 2] - g[:, 0], g[:, 3] - g[:, 1] + eps
    *_, inter, cw, ch, dx, dy = parts(p, g)
    union = w1 * h1 + w2 * h2 - inter + eps
    i = inter / union
    if kind == "iou":
        return i
    if kind == "giou":
        area = cw * ch + eps
        return i - (area - union) / area
    d = i - (dx**2 + dy**2) / (cw**2 + ch**2 + eps)
    if kind == "diou":
        return d
    v = aspect(w1, h1, w2, h2)
    return d - (v / (v - i + (1 + eps))).detach() * v


def ultralytics_box_iou(p, g, eps=1e-7):
    return plain(p, g, eps)


def mmdetection(p, g, kind):
    """bbox_overlaps (iou, iof: eps 1e-6; giou 1e-7) and diou_loss, ciou_loss with eps 1e-7."""
    pw, ph, gw, gh, inter, cw, ch, dx, dy = parts(p, g)
    union = pw * ph + gw * gh - inter
    if kind == "iou":
        return inter / union.clamp(min=1e-6)
    if kind == "iof":
        return inter / (pw * ph).clamp(min=1e-6)
    if kind == "giou":
        union = union.clamp(min=1e-7)
        area = (cw * ch).clamp(min=1e-7)
        return inter / union - (area - union) / area
    eps = 1e-7
    i = inter / (union + eps)
    if kind == "siou":
        # siou_loss(neg_gamma=True): the paper's sign, which the default turns round.
        ex, ey = eps - dx, eps - dy
        sigma = (ex**2 + ey**2).sqrt()
        sin = torch.where(ex.abs() / sigma > math.sqrt(2) / 2, ey.abs() / sigma, ex.abs() / sigma)
        gamma = torch.cos(2 * torch.asin(sin) - math.pi / 2) - 2
        distance = 2 - torch.exp(gamma * (ex / cw.clamp(min=eps)) ** 2) - torch.exp(gamma * (ey / ch.clamp(min=eps)) ** 2)
        ph, gh = ph + eps, gh + eps
        ww = (pw - gw).abs() / torch.max(pw, gw)
        wh = (ph - gh).abs() / torch.max(ph, gh)
        shape = (1 - torch.exp(-ww)) ** 4 + (1 - torch.exp(-wh)) ** 4
        return (i - (distance + shape) / 2).clamp(min=-1, max=1)
    rho = (dx**2 + dy**2) / (cw**2 + ch**2 + eps)
    if kind == "diou":
        return i - rho
    v = aspect(pw, ph + eps, gw, gh + eps)
    alpha = ((i > 0.5).double() * v / (1 - i + v)).detach()
    return (i - (rho + alpha * v)).clamp(min=-1, max=1)
