"""Writes rotated.json: ProbIoU, GWD, KLD and KFIoU restated in torch from papers and libraries, and OpenCV's angles.

    OMP_NUM_THREADS=1 python3 test/golden/iou/rotated.py

float64 on float32 boxes and angles. Covariances are built as matrices and go through torch's matrix functions, apart from
boxops' closed forms. Ultralytics' ProbIoU has variances of w^2/12; mmrotate's three have w^2/4.
"""
import json
from pathlib import Path

import torch

from boxes import boxes_of
from seeded import uniform

HERE = Path(__file__).parent
torch.set_num_threads(1)


def rotated(name, side):
    """Centres, sizes and angles (radians, clockwise on the screen), float64."""
    boxes = torch.from_numpy(boxes_of(name, side).astype("float64"))
    angles = torch.from_numpy(uniform(71 + side, len(boxes), -4, 4).astype("float32").astype("float64"))
    if side:
        angles[0] = torch.from_numpy(uniform(71, 1, -4, 4).astype("float32").astype("float64"))[0]
    return (boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2], angles


def covariance(size, angle, share):
    cos, sin = torch.cos(angle), torch.sin(angle)
    turn = torch.stack([torch.stack([cos, -sin], -1), torch.stack([sin, cos], -1)], -2)
    return turn @ torch.diag_embed(size**2 * share) @ turn.transpose(-1, -2)


def root(matrix):
    """Symmetric square root."""
    values, vectors = torch.linalg.eigh(matrix)
    return vectors @ torch.diag_embed(values.clamp(min=0).sqrt()) @ vectors.transpose(-1, -2)


def prob_iou(d, p, t, eps=1e-7):
    """arXiv 2106.06072 Eq. 4-8, the eps where Ultralytics' probiou has them."""
    s = p + t
    det = torch.linalg.det(s)
    quad = s[..., 0, 0] * d[..., 1] ** 2 + s[..., 1, 1] * d[..., 0] ** 2 - 2 * s[..., 0, 1] * d[..., 0] * d[..., 1]
    own = (torch.linalg.det(p).clamp(min=0) * torch.linalg.det(t).clamp(min=0)).sqrt()
    bd = (quad / (det + eps) / 4 + torch.log(det / (4 * own + eps) + eps) / 2).clamp(eps, 100)
    return 1 - (1 - torch.exp(-bd) + eps).sqrt()


def wasserstein(d, p, t, alpha=1.0):
    """arXiv 2101.11952 Eq. 4 with the trace of the matrix root itself; scale of mmrotate's gwd_loss(normalize=True)."""
    rp = root(p)
    cross = root(rp @ t @ rp)
    trace = lambda m: m.diagonal(dim1=-2, dim2=-1).sum(-1)
    squared = (d**2).sum(-1) + alpha**2 * (trace(p) + trace(t) - 2 * trace(cross))
    scale = 2 * (torch.linalg.det(p) * torch.linalg.det(t)).clamp(min=0).pow(1 / 8).clamp(min=1e-7)
    return squared.clamp(min=0).sqrt() / scale


def kullback_leibler(d, p, t, alpha=1.0):
    """D(t || p), arXiv 2106.01883 Eq. 6 as mmrotate's kld_loss has it; square root."""
    inverse = torch.linalg.inv(p)
    quad = (d[..., None, :] @ inverse @ d[..., :, None])[..., 0, 0] / 2
    trace = (inverse @ t).diagonal(dim1=-2, dim2=-1).sum(-1) / 2
    divergence = quad / alpha**2 + trace + (torch.logdet(p) - torch.logdet(t)) / 2 - 1
    return divergence.clamp(min=0).sqrt()


def kalman(p, t, eps=1e-6):
    """arXiv 2201.12558 Eq. 5-8: gain, updated covariance, volumes."""
    gain = p @ torch.linalg.inv(p + t)
    volume = lambda m: 4 * torch.linalg.det(m).clamp(min=0).sqrt()
    common = volume(p - gain @ p)
    return common / (volume(p) + volume(t) - common + eps)


def numbers(values):
    return [float(f"{v:.10g}") for v in values.reshape(-1).tolist()]


result = {"versions": {"torch": torch.__version__}}
for name in ("small", "pixels", "image", "slivers"):
    ac, asize, aa = rotated(name, 0)
    bc, bsize, ba = rotated(name, 1)
    d = ac[:, None] - bc[None]
    pair = lambda share: [
        m.expand(len(ac), len(bc), 2, 2)
        for m in (covariance(asize, aa, share)[:, None], covariance(bsize, ba, share)[None])
    ]
    p, t = pair(1 / 4)
    gwd, kld = wasserstein(d, p, t), kullback_leibler(d, p, t)
    result[name] = {
        "probiou": numbers(prob_iou(d, *pair(1 / 12))),
        "gwd": numbers(1 / (1 + torch.log1p(gwd))),
        "kld": numbers(1 / (1 + torch.log1p(kld))),
        "kfiou": numbers(kalman(p, t)),
        "gwd sqrt": numbers(1 / (2 + wasserstein(d, p, t, 0.5).sqrt())),
        "kld none": numbers(1 / (1.5 + kullback_leibler(d, p, t, 2.0))),
    }
(HERE / "rotated.json").write_text(json.dumps(result, separators=(",", ":")) + "\n")
print((HERE / "rotated.json").stat().st_size)
