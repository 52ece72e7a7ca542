"""Restates every head in numpy on seeded tensors and writes what a decoder must return.

python3 generate.py        (numpy only; the version is written into golden.json)

The tensors come from one linear congruential generator, written again in test/heads/tensors.ts. Results of up to 64
candidates are stored in full; longer ones as count, sums and every k-th row.
"""
import json
import pathlib
import numpy as np

HERE = pathlib.Path(__file__).parent


def uniform(seed, count, half=False):
    """count numbers in [0, 1) on a grid of 2^-24 (2^-10 for half), float64."""
    out = np.empty(count, np.float64)
    state = seed & 0xFFFFFFFF
    for i in range(count):
        state = (state * 1664525 + 1013904223) & 0xFFFFFFFF
        out[i] = (state >> 22) / 1024.0 if half else (state >> 8) / 16777216.0
    return out


def tensor(spec, seed, size, half):
    dims, kind = spec["dims"], spec["kind"]
    u = uniform(seed, int(np.prod(dims)), half).reshape(dims)
    w, h = size
    scale = np.array([w, h, w / 4, h / 4], np.float64)
    if kind == "unit":
        t = u
    elif kind == "cxcywh-major":
        t = u.copy()
        t[:, :4] = u[:, :4] * scale[None, :, None]
    elif kind == "cxcywh-row":
        t = u.copy()
        t[..., :4] = u[..., :4] * scale
    elif kind == "offset-row":
        t = u.copy()
        t[..., :4] = u[..., :4] * 2 - 0.5
    elif kind == "detections":
        t = u.copy()
        t[..., :4] = u[..., :4] * 512
        t[..., 5] = np.floor(u[..., 5] * 80)
    elif kind == "logits":
        t = u * 8 - 6
    elif kind == "signed":
        t = u * 4 - 2
    elif kind == "labels":
        return np.floor(u * 80).astype(np.int64)
    elif kind == "pixels":
        t = u * 512
    else:
        raise ValueError(kind)
    t = t.astype(np.float32)
    return t.astype(np.float16).astype(np.float32) if half else t


def centre_to_corner(b):
    b = b.astype(np.float64)
    return np.stack([b[:, 0] - b[:, 2] / 2, b[:, 1] - b[:, 3] / 2, b[:, 0] + b[:, 2] / 2, b[:, 1] + b[:, 3] / 2], 1)


def select(scores, case):
    """rows, classes, scores of a [rows, classes] float32 matrix, threshold strict in float32."""
    thr = np.float32(case["scoreThreshold"])
    if case.get("multiLabel"):
        rows, cls = np.nonzero(scores > thr)
    else:
        best = scores.argmax(1)
        rows = np.nonzero(scores[np.arange(len(scores)), best] > thr)[0]
        cls = best[rows]
    if case.get("classes") is not None:
        keep = np.isin(cls, case["classes"])
        rows, cls = rows[keep], cls[keep]
    return rows, cls, scores[rows, cls]


def yolov8(t, case, size):
    p = t["output0"].T
    rows, cls, s = select(p[:, 4:], case)
    return centre_to_corner(p[rows, :4]), s, cls


def yolov5(t, case, size):
    p = t["output"]
    rows, cls, s = select(p[:, 4:5] * p[:, 5:], case)
    return centre_to_corner(p[rows, :4]), s, cls


def yolox(t, case, size):
    p = t["output"].astype(np.float64)
    grids, strides = [], []
    for stride in (8, 16, 32):
        ys, xs = np.mgrid[: size[1] // stride, : size[0] // stride]
        grids.append(np.stack([xs.ravel(), ys.ravel()], 1))
        strides.append(np.full((xs.size, 1), stride))
    grid, stride = np.concatenate(grids), np.concatenate(strides)
    boxes = np.concatenate([(p[:, :2] + grid) * stride, np.exp(p[:, 2:4]) * stride], 1)
    rows, cls, s = select(t["output"][:, 4:5] * t["output"][:, 5:], case)
    return centre_to_corner(boxes[rows]), s, cls


def end_to_end(t, case, size):
    p = t["output0"]
    rows = np.nonzero(p[:, 4] > np.float32(case["scoreThreshold"]))[0]
    return p[rows, :4], p[rows, 4], p[rows, 5].astype(int)


def find(t, suffix):
    """By name, else by the last dim."""
    for name, a in t.items():
        if suffix in name:
            return a
    boxes = next(a for a in t.values() if a.shape[-1] == 4)
    return boxes if suffix == "boxes" else next(a for a in t.values() if a is not boxes)


def detr_boxes(t, rows, size):
    return centre_to_corner(find(t, "boxes")[rows]) * np.array([size[0], size[1]] * 2)


def detr(t, case, size):
    logits = find(t, "logits").astype(np.float64)
    s = (1 / (1 + np.exp(-logits))).astype(np.float32).ravel()
    order = np.argsort(-s, kind="stable")[:300]
    order = order[s[order] > np.float32(case["scoreThreshold"])]
    return detr_boxes(t, order // logits.shape[1], size), s[order], order % logits.shape[1]


def detr_softmax(t, case, size):
    logits = find(t, "logits").astype(np.float64)
    e = np.exp(logits - logits.max(1, keepdims=True))
    rows, cls, s = select((e / e.sum(1, keepdims=True)).astype(np.float32)[:, :-1], case)
    return detr_boxes(t, rows, size), s, cls


def detr_decoded(t, case, size):
    rows = np.nonzero(t["scores"] > np.float32(case["scoreThreshold"]))[0]
    return t["boxes"][rows], t["scores"][rows], t["labels"][rows]


HEADS = {
    "yolov8": yolov8, "yolov5": yolov5, "yolox": yolox, "end-to-end": end_to_end,
    "detr": detr, "detr-softmax": detr_softmax, "detr-decoded": detr_decoded,
}


def run(case):
    half = case.get("half", False)
    tensors = {}
    for i, (name, spec) in enumerate(case["tensors"].items()):
        t = tensor(spec, case["seed"] + 1000 * i, case["input"], half)
        tensors[name] = t[case.get("image", 0)]
    result = HEADS[case["head"]](tensors, case, case["input"])
    boxes, scores, classes = result[:3]
    count = len(scores)
    step = 1 if count <= 64 else count // 32
    at = list(range(0, count, step))
    out = {
        "id": case["id"], "count": count, "step": step,
        "boxSum": float(np.asarray(boxes, np.float64).sum()),
        "scoreSum": float(np.asarray(scores, np.float64).sum()),
        "classSum": int(np.asarray(classes).sum()),
        "boxes": [[round(float(v), 4) for v in boxes[i]] for i in at],
        "scores": [float(np.float32(scores[i])) for i in at],
        "classIds": [int(classes[i]) for i in at],
    }
    for key, column in (result[3] if len(result) > 3 else {}).items():
        column = np.asarray(column, np.float64)
        out[key] = [[round(float(v), 4) for v in np.atleast_1d(column[i])] for i in at]
    return out


if __name__ == "__main__":
    cases = json.loads((HERE / "cases.json").read_text())
    golden = {"numpy": np.__version__, "cases": [run(case) for case in cases]}
    (HERE / "golden.json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")
    print({c["id"]: c["count"] for c in golden["cases"]})
