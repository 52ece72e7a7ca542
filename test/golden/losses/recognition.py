"""Values and autograd gradients of the recognition losses, in torch float64: writes recognition.json.

Restated from the papers and the libraries named in each function, apart from the TypeScript; detached where they detach.
Inputs come from ../seeded.py, whose twin the test uses.

Run: OMP_NUM_THREADS=1 /usr/bin/python3 recognition.py
"""
import json
import math
import os
import sys

import torch
import torch.nn.functional as F

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(here, ".."))
from seeded import integers, uniform  # noqa: E402

N, C, D = 9, 5, 6
T = torch.float64


def tensor(seed, *shape, low=-1.0, high=1.0):
    count = math.prod(shape)
    return torch.tensor(uniform(seed, count, low, high), dtype=T).reshape(shape)


def cosines(f, w):
    return F.normalize(f) @ F.normalize(w).T


def with_target(cos, labels, target):
    onehot = F.one_hot(labels, cos.shape[1]).to(T)
    return onehot * target[:, None] + (1 - onehot) * cos


def own(cos, labels):
    return cos.gather(1, labels[:, None])[:, 0]


def arc(f, w, y, m=0.5, s=64.0, fallback="linear", straight=False):  # original repository, PML
    cos = cosines(f, w)
    c = own(cos, y)
    if straight:  # insightface arcface_torch: arccos and cos under no_grad on the same tensor
        with torch.no_grad():
            delta = torch.cos(torch.acos(c.clamp(-1, 1)) + m) - c
        t = c + delta
    else:
        sine = (1 - c * c).clamp(min=0).sqrt()
        phi = c * math.cos(m) - sine * math.sin(m)
        if fallback == "linear":
            t = torch.where(c > math.cos(math.pi - m), phi, c - math.sin(math.pi - m) * m)
        elif fallback == "easy":
            t = torch.where(c > 0, phi, c)
        else:
            t = phi
    return F.cross_entropy(s * with_target(cos, y, t), y)


def cosface(f, w, y, m=0.35, s=64.0):
    cos = cosines(f, w)
    return F.cross_entropy(s * with_target(cos, y, own(cos, y) - m), y)


def combined(f, w, y, m1, m2, m3, s=30.0):
    cos = cosines(f, w)
    return F.cross_entropy(s * with_target(cos, y, torch.cos(m1 * torch.acos(own(cos, y)) + m2) - m3), y)


def sphere(f, w, y, m=4, lam=5.0):  # A-Softmax, Chebyshev gradient
    cos = cosines(f, w)
    c = own(cos, y)
    k = (m * torch.acos(c).detach() / math.pi).floor()
    psi = (-1) ** k * (8 * c ** 4 - 8 * c ** 2 + 1) - 2 * k
    z = f.norm(dim=1, keepdim=True) * with_target(cos, y, (lam * c + psi) / (1 + lam))
    return F.cross_entropy(z, y)


def modified(f, w, y):
    return F.cross_entropy(f.norm(dim=1, keepdim=True) * cosines(f, w), y)


def ada(f, w, y, m=0.4, h=0.333, s=64.0, eps=1e-3):
    cos = cosines(f, w)
    norms = f.norm(dim=1).clamp(0.001, 100).detach()
    k = (((norms - norms.mean()) / (norms.std() + eps)) * h).clamp(-1, 1)
    theta = (torch.acos(own(cos, y)) - m * k).clamp(eps, math.pi - eps)
    return F.cross_entropy(s * with_target(cos, y, torch.cos(theta) - (m + m * k)), y)


def mag(f, w, y, la=0.5, ua=3.0, lm=0.45, um=0.8, s=32.0, lg=2.0, easy=True):
    cos = cosines(f, w)
    a = f.norm(dim=1).clamp(la, ua)
    m = (um - lm) / (ua - la) * (a - la) + lm
    c = own(cos, y)
    phi = c * m.cos() - (1 - c * c).sqrt() * m.sin()
    if easy:
        t = torch.where(c > 0, phi, c)
    else:
        t = torch.where(c > torch.cos(math.pi - m), phi, c - torch.sin(math.pi - m) * m)
    g = (1 / a + a / ua ** 2).mean()
    return F.cross_entropy(s * with_target(cos, y, t), y) + lg * g


def curricular(f, w, y, t0=0.1, m=0.5, s=64.0):
    cos = cosines(f, w)
    c = own(cos, y)
    with torch.no_grad():
        t = 0.01 * c.mean() + 0.99 * t0
    phi = c * math.cos(m) - (1 - c * c).sqrt() * math.sin(m)
    target = torch.where(c > math.cos(math.pi - m), phi, c - math.sin(math.pi - m) * m)
    hard = cos > phi[:, None]
    z = torch.where(hard, cos * (t + cos), cos)
    return F.cross_entropy(s * with_target(z, y, target), y)


def subcenter(f, w, y, K=3):
    cos = (F.normalize(f) @ F.normalize(w).T).reshape(N, C, K).max(2).values
    c = own(cos, y)
    phi = c * math.cos(0.5) - (1 - c * c).sqrt() * math.sin(0.5)
    t = torch.where(c > math.cos(math.pi - 0.5), phi, c - math.sin(math.pi - 0.5) * 0.5)
    return F.cross_entropy(64 * with_target(cos, y, t), y)


def pair_distances(f, kind):
    if kind == "angle":
        u = F.normalize(f)
        return torch.acos((u @ u.T).clamp(-1 + 1e-12, 1 - 1e-12))
    d2 = ((f[:, None] - f[None]) ** 2).sum(2)
    return d2 if kind == "squared" else (d2 + 1e-300).sqrt()


def triplet(f, y, mining, kind="squared", margin=0.2, soft=False):
    d = pair_distances(f, kind)
    costs = []
    active = lambda g: F.softplus(g) if soft else F.relu(g + margin)
    for a in range(N):
        pos = [p for p in range(N) if p != a and y[p] == y[a]]
        neg = [n for n in range(N) if y[n] != y[a]]
        if not neg:
            continue
        if mining == "batch-hard":
            p = max(d[a, q] for q in pos) if pos else torch.zeros((), dtype=T)
            costs.append(active(p - min(d[a, n] for n in neg)))
        else:
            for p in pos:
                if mining == "batch-all":
                    costs += [active(d[a, p] - d[a, n]) for n in neg]
                else:
                    semi = [n for n in neg if d[a, n] > d[a, p]]
                    n = min(semi, key=lambda q: d[a, q].item()) if semi else max(neg, key=lambda q: d[a, q].item())
                    costs.append(active(d[a, p] - d[a, n]))
    costs = torch.stack(costs)
    if mining == "batch-all":
        return costs.sum() / (costs > 1e-16).sum()
    return costs.mean()


def contrastive(f, y, margin=1.5):
    d = pair_distances(f, "euclidean")
    same = y[:, None] == y[None]
    t = torch.where(same, d ** 2, F.relu(margin - d) ** 2)
    i, j = torch.triu_indices(N, N, 1)
    return t[i, j].mean()


def supcon(f, y, temperature=0.1, base=0.07):
    u = F.normalize(f)
    s = u @ u.T / temperature
    eye = torch.eye(N, dtype=torch.bool)
    s = s.masked_fill(eye, -math.inf)
    logp = s - s.logsumexp(1, keepdim=True)
    pos = (y[:, None] == y[None]) & ~eye
    rows = [i for i in range(N) if pos[i].any()]
    return torch.stack([-(temperature / base) * logp[i][pos[i]].mean() for i in rows]).mean()


def multi_similarity(f, y, alpha=2.0, beta=50.0, base=0.5, eps=0.1):
    u = F.normalize(f)
    s = u @ u.T
    total = 0
    for i in range(N):
        pos = [j for j in range(N) if j != i and y[j] == y[i]]
        neg = [j for j in range(N) if y[j] != y[i]]
        hardest_n = max((s[i, j].item() for j in neg), default=-math.inf)
        hardest_p = min((s[i, j].item() for j in pos), default=math.inf)
        pos = [j for j in pos if s[i, j].item() - eps < hardest_n]
        neg = [j for j in neg if s[i, j].item() + eps > hardest_p]
        if pos:
            total = total + torch.log(1 + sum(torch.exp(-alpha * (s[i, j] - base)) for j in pos)) / alpha
        if neg:
            total = total + torch.log(1 + sum(torch.exp(beta * (s[i, j] - base)) for j in neg)) / beta
    return total / N


def circle(f, y, m=0.4, gamma=80.0):
    u = F.normalize(f)
    s = u @ u.T
    rows = []
    for i in range(N):
        pos = [j for j in range(N) if j != i and y[j] == y[i]]
        neg = [j for j in range(N) if y[j] != y[i]]
        if not pos or not neg:
            continue
        sp, sn = s[i, pos], s[i, neg]
        ap, an = F.relu(1 + m - sp.detach()), F.relu(sn.detach() + m)
        rows.append(F.softplus(torch.logsumexp(gamma * an * (sn - m), 0) + torch.logsumexp(-gamma * ap * (sp - 1 + m), 0)))
    return torch.stack(rows).mean()


def center(f, c, y):
    return 0.5 * ((f - c[y]) ** 2).sum(1).mean()


def center_update(f, c, y, alpha=0.5):  # Eq. 4
    moved = c.clone()
    for j in range(C):
        mine = f[y == j]
        moved[j] -= alpha * (c[j] - mine).sum(0) / (1 + len(mine))
    return moved


def n_pair(a, p):
    return F.cross_entropy(a @ p.T, torch.arange(len(a)))


def record(fn, *arguments):
    leaves = [a.clone().requires_grad_(True) for a in arguments]
    value = fn(*leaves)
    value.backward()
    return {"value": value.item(), "gradients": [leaf.grad.flatten().tolist() for leaf in leaves]}


def case(seed, spread):
    f = tensor(seed, N, D, low=-spread, high=spread)
    w = tensor(seed + 1, C, D)
    w3 = tensor(seed + 2, C * 3, D)
    y = torch.tensor(integers(seed + 3, N, C))
    out = {
        "arcFace": record(lambda f, w: arc(f, w, y), f, w),
        "arcFaceEasy": record(lambda f, w: arc(f, w, y, fallback="easy", s=30.0), f, w),
        "arcFaceNone": record(lambda f, w: arc(f, w, y, fallback="none", s=30.0), f, w),
        "arcFaceStraight": record(lambda f, w: arc(f, w, y, straight=True), f, w),
        "cosFace": record(lambda f, w: cosface(f, w, y), f, w),
        "combined": record(lambda f, w: combined(f, w, y, 1.0, 0.3, 0.2), f, w),
        "combinedMultiplied": record(lambda f, w: combined(f, w, y, 1.35, 0.1, 0.05), f, w),
        "sphereFace": record(lambda f, w: sphere(f, w, y), f, w),
        "modifiedSoftmax": record(lambda f, w: modified(f, w, y), f, w),
        "adaFace": record(lambda f, w: ada(f, w, y), f, w),
        "magFace": record(lambda f, w: mag(f, w, y), f, w),
        "magFaceStrict": record(lambda f, w: mag(f, w, y, easy=False), f, w),
        "curricularFace": record(lambda f, w: curricular(f, w, y), f, w),
        "subCenter": record(lambda f, w: subcenter(f, w, y), f, w3),
        "contrastive": record(lambda f: contrastive(f, y), f),
        "supCon": record(lambda f: supcon(f, y), f),
        "multiSimilarity": record(lambda f: multi_similarity(f, y), f),
        "circle": record(lambda f: circle(f, y), f),
        "center": record(lambda f, c: center(f, c, y), f, w),
        "nPair": record(n_pair, f[:C], w),
    }
    for mining in ("batch-all", "batch-hard", "semi-hard"):
        for kind in ("squared", "euclidean", "angle"):
            out[f"triplet {mining} {kind}"] = record(lambda f: triplet(f, y, mining, kind), f)
        out[f"triplet {mining} soft"] = record(lambda f: triplet(f, y, mining, soft=True), f)
    return {"seed": seed, "spread": spread, "losses": out, "centers": center_update(f, w, y).flatten().tolist()}


if __name__ == "__main__":
    result = {"torch": torch.__version__, "samples": N, "classes": C, "dimensions": D, "cases": [case(1000 * (i + 1), s) for i, s in enumerate((1.0, 1.0, 2.0, 3.0))]}
    with open(os.path.join(here, "recognition.json"), "w") as file:
        json.dump(result, file)
