"""Values and autograd gradients of the box regression losses, in torch float64: writes boxes.json.

GIoU, DIoU and CIoU are torchvision's own losses; the others are restated from their papers and repositories, detached
where they detach. Inputs come from ../seeded.py, whose twin the test uses.

Run: OMP_NUM_THREADS=1 /usr/bin/python3 boxes.py
"""
import json
import math
import os
import sys

import torch
import torch.nn.functional as F
import torchvision
from torchvision.ops import complete_box_iou_loss, distance_box_iou_loss, generalized_box_iou_loss

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(here, ".."))
from seeded import uniform  # noqa: E402

N = 40
T = torch.float64


def boxes(seed, scale):
    xy = torch.tensor(uniform(seed, 2 * N, 0, 60), dtype=T).reshape(N, 2)
    wh = torch.tensor(uniform(seed + 1, 2 * N, 4, 60), dtype=T).reshape(N, 2)
    return torch.cat([xy, xy + wh], 1) * scale


def parts(p, g):
    lt, rb = torch.max(p[:, :2], g[:, :2]), torch.min(p[:, 2:], g[:, 2:])
    inter = (rb - lt).clamp(min=0).prod(1)
    union = (p[:, 2:] - p[:, :2]).prod(1) + (g[:, 2:] - g[:, :2]).prod(1) - inter
    c = torch.max(p[:, 2:], g[:, 2:]) - torch.min(p[:, :2], g[:, :2])
    d = (p[:, :2] + p[:, 2:] - g[:, :2] - g[:, 2:]) / 2
    return inter / union, c, d


def iou(p, g):
    return parts(p, g)[0]


def wise(p, g, version, mean=1.0, alpha=1.9, delta=3.0):  # Instinct323/wiou
    i, c, d = parts(p, g)
    loss = 1 - i
    att = torch.exp((d ** 2).sum(1) / (c ** 2).sum(1).detach())
    beta = loss.detach() / mean
    focus = {1: torch.ones_like(beta), 2: beta.sqrt(), 3: beta / (delta * alpha ** (beta - delta))}[version]
    return (focus * att * loss).mean()


def focal_eiou(p, g, gamma=0.5):
    i, c, d = parts(p, g)
    dw = (p[:, 2] - p[:, 0]) - (g[:, 2] - g[:, 0])
    dh = (p[:, 3] - p[:, 1]) - (g[:, 3] - g[:, 1])
    e = i - (d ** 2).sum(1) / (c ** 2).sum(1) - dw ** 2 / c[:, 0] ** 2 - dh ** 2 / c[:, 1] ** 2
    w = i.detach() ** gamma
    return (w * (1 - e)).sum() / w.sum()


def bounded(p, g, beta=0.2, eps=1e-3):  # mmdetection
    pc, pw = (p[:, 2:] + p[:, :2]) / 2, p[:, 2:] - p[:, :2]
    gc, gw = (g[:, 2:] + g[:, :2]) / 2, g[:, 2:] - g[:, :2]
    d = (gc - pc).abs()
    centre = 1 - torch.max((gw - 2 * d) / (gw + 2 * d + eps), torch.zeros_like(d))
    size = 1 - torch.min(gw / (pw + eps), pw / (gw + eps))
    x = torch.cat([centre, size], 1)
    return torch.where(x < beta, 0.5 * x * x / beta, x - 0.5 * beta).sum()


def practical(p, g):
    """DIoU loss plus alpha * v whose gradient in w, h lacks 1/(w^2 + h^2)."""
    i, c, d = parts(p, g)
    w, h = p[:, 2] - p[:, 0], p[:, 3] - p[:, 1]
    gw, gh = g[:, 2] - g[:, 0], g[:, 3] - g[:, 1]
    delta = torch.atan(gw / gh) - torch.atan(w / h)
    v = 4 / math.pi ** 2 * delta ** 2
    alpha = (v / (1 - i + v)).detach()
    square = (w * w + h * h).detach()
    v_scaled = v.detach() + (v - v.detach()) * square  # same value, gradient times w^2 + h^2
    return (1 - i + (d ** 2).sum(1) / (c ** 2).sum(1) + alpha * v_scaled).sum()


def delta_decode(t, a, clamp=math.log(1000 / 16)):  # torchvision BoxCoder, weights 10, 10, 5, 5
    aw, ah = a[:, 2] - a[:, 0], a[:, 3] - a[:, 1]
    cx = t[:, 0] / 10 * aw + (a[:, 0] + a[:, 2]) / 2
    cy = t[:, 1] / 10 * ah + (a[:, 1] + a[:, 3]) / 2
    w = torch.exp((t[:, 2] / 5).clamp(max=clamp)) * aw / 2
    h = torch.exp((t[:, 3] / 5).clamp(max=clamp)) * ah / 2
    return torch.stack([cx - w, cy - h, cx + w, cy + h], 1)


def distance_decode(t, a):
    c, s = (a[:, :2] + a[:, 2:]) / 2, a[:, 2:] - a[:, :2]
    return torch.cat([c - t[:, :2] * s, c + t[:, 2:] * s], 1)


def record(fn, x0):
    x = x0.clone().requires_grad_(True)
    value = fn(x)
    value.backward()
    return {"value": value.item(), "gradient": x.grad.flatten().tolist()}


def case(seed, scale):
    p, g = boxes(seed, scale), boxes(seed + 10, scale)
    raw = torch.tensor(uniform(seed + 20, 4 * N, -2, 2), dtype=T).reshape(N, 4)
    dist = torch.tensor(uniform(seed + 21, 4 * N, 0.125, 2), dtype=T).reshape(N, 4)
    out = {
        "iou linear": record(lambda x: (1 - iou(x, g)).mean(), p),
        "iou log": record(lambda x: -iou(x, g).clamp(min=1e-6).log().mean(), p),
        "iou square": record(lambda x: (1 - iou(x, g) ** 2).sum(), p),
        "giou": record(lambda x: generalized_box_iou_loss(x, g, "mean"), p),
        "diou": record(lambda x: distance_box_iou_loss(x, g, "mean"), p),
        "ciou": record(lambda x: complete_box_iou_loss(x, g, "mean"), p),
        "wise 1": record(lambda x: wise(x, g, 1), p),
        "wise 2": record(lambda x: wise(x, g, 2, 0.8), p),
        "wise 3": record(lambda x: wise(x, g, 3, 0.8), p),
        "focal eiou": record(lambda x: focal_eiou(x, g), p),
        "bounded": record(lambda x: bounded(x, g), p),
        "giou through delta": record(lambda x: generalized_box_iou_loss(delta_decode(x, p), g, "sum"), raw),
        "ciou through distance": record(lambda x: complete_box_iou_loss(distance_decode(x, p), g, "mean"), dist),
    }
    if scale < 1:
        out["practical"] = record(lambda x: practical(x, g), p)
    return {"seed": seed, "scale": scale, "losses": out}


result = {"torch": torch.__version__, "torchvision": torchvision.__version__, "boxes": N,
          "cases": [case(100, 1.0), case(200, 8.0), case(300, 1 / 128), case(400, 1.0), case(500, 0.25)]}
for c in result["cases"]:
    if c["scale"] == 0.25:
        c["losses"].pop("practical")
with open(os.path.join(here, "boxes.json"), "w") as f:
    json.dump(result, f)
