"""Writes the IoU goldens: torchvision's matrices, and the restatements with their autograd gradients.

    OMP_NUM_THREADS=1 python3 test/golden/iou/generate.py

Values are computed in float64 on float32 inputs. NaN (a source's 0/0) is written as null and not compared.
"""
import json
from pathlib import Path

import torch
import torchvision
from torchvision import ops

import restatements as r
from boxes import NAMES, boxes_of

HERE = Path(__file__).parent
torch.set_num_threads(1)


def numbers(values, digits=9):
    return [None if v != v else float(f"{v:.{digits}g}") for v in values.reshape(-1).tolist()]


def tensor(name, side):
    return torch.from_numpy(boxes_of(name, side).astype("float64"))


matrices = {}
for name in NAMES:
    a, b = tensor(name, 0), tensor(name, 1)
    matrices[name] = {
        "iou": numbers(ops.box_iou(a, b)),
        "giou": numbers(ops.generalized_box_iou(a, b)),
        "diou": numbers(ops.distance_box_iou(a, b)),
        "ciou": numbers(ops.complete_box_iou(a, b)),
        # The float32 values themselves, which float32 boxes must give bit for bit.
        "iouFloat32": numbers(ops.box_iou(a.float(), b.float())),
    }

METRICS = {
    "iou": r.iou,
    "iof": r.iof,
    "ioa": r.ioa,
    "ios": r.ios,
    "giou": r.giou,
    "diou": r.diou,
    "ciou": r.ciou,
    "eiou": r.eiou,
    "siou": r.siou,
    "alphaIou": r.alpha_iou,
    "alphaGiou": r.alpha_giou,
    "alphaDiou": r.alpha_diou,
    "alphaCiou": r.alpha_ciou,
    "alphaCiou 1.5": lambda p, g: r.alpha_ciou(p, g, 1.5),
    "shapeIou": r.shape_iou,
    "shapeIou 1.5": lambda p, g: r.shape_iou(p, g, 1.5),
    "piou": r.piou,
    "piou2": r.piou2,
    "nwd": r.nwd,
    "nwd 40": lambda p, g: r.nwd(p, g, 40.0),
    "mpdiou": r.mpdiou,
    "diou 0.6": lambda p, g: r.diou(p, g, 0.6),
    "ciou gated": lambda p, g: r.ciou(p, g, "gated"),
    "ciou undetached": lambda p, g: r.ciou(p, g, "undetached"),
    "inner iou": lambda p, g: r.inner(p, g, r.iou, 0.7),
    "inner siou": lambda p, g: r.inner(p, g, r.siou, 1.3),
    "inner ciou": lambda p, g: r.inner(p, g, r.ciou, 0.8),
    "focaler iou": lambda p, g: r.focaler(p, g, r.iou),
    "focaler eiou": lambda p, g: r.focaler(p, g, r.eiou, 0.1, 0.7),
}
LIBRARIES = {
    f"torchvision {k}": (lambda p, g, k=k: r.torchvision_loss(p, g, k)) for k in ("iou", "giou", "diou", "ciou")
}
LIBRARIES |= {f"ultralytics {k}": (lambda p, g, k=k: r.ultralytics(p, g, k)) for k in ("iou", "giou", "diou", "ciou")}
LIBRARIES["ultralytics box_iou"] = r.ultralytics_box_iou
LIBRARIES |= {
    f"mmdetection {k}": (lambda p, g, k=k: r.mmdetection(p, g, k)) for k in ("iou", "iof", "giou", "diou", "ciou", "siou")
}

aligned = {}
for key, function in {**METRICS, **LIBRARIES}.items():
    entry = {}
    sets = ("pixels", "normalised", "lattice") if key in LIBRARIES else ("small", "pixels", "lattice")
    for name in sets:
        a, b = tensor(name, 0), tensor(name, 1)
        n = min(len(a), len(b))
        # Every box with the box of the same place and with the next: identical ones come first.
        p = torch.cat([a[:n], a[:n]]).clone().requires_grad_(True)
        g = torch.cat([b[:n], b[:n].roll(1, 0)]).clone().requires_grad_(True)
        values = function(p, g)
        dp, dg = torch.autograd.grad(values.sum(), (p, g), allow_unused=True)
        entry[name] = {
            "values": numbers(values.detach()),
            # Coinciding edges are kinks, where only min and max themselves have an agreed gradient.
            **({} if name == "lattice" else {"dp": numbers(dp, 8), "dg": numbers(dg, 8)}),
        }
    aligned[key] = entry

# torchvision's own losses, with their autograd.
losses = {}
for name in ("pixels", "normalised"):
    a, b = tensor(name, 0), tensor(name, 1)
    p = a[:8].clone().requires_grad_(True)
    for kind, function in (
        ("giou", ops.generalized_box_iou_loss),
        ("diou", ops.distance_box_iou_loss),
        ("ciou", ops.complete_box_iou_loss),
    ):
        value = function(p, b.roll(1, 0))
        (dp,) = torch.autograd.grad(value.sum(), p)
        losses[f"{name} {kind}"] = {"values": numbers(value.detach()), "dp": numbers(dp, 8)}

versions = {"torch": torch.__version__, "torchvision": torchvision.__version__}
for file, content in (("matrices.json", matrices), ("aligned.json", aligned), ("losses.json", losses)):
    (HERE / file).write_text(json.dumps({"versions": versions, **content}, separators=(",", ":")) + "\n")
print({f.name: f.stat().st_size for f in HERE.glob("*.json")})
