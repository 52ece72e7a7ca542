"""Restates every head in numpy on seeded tensors and writes what a decoder must return.

python3 generate.py        (numpy only; the version is written into golden.json)

The tensors come from one linear congruential generator, written again in test/heads/tensors.ts. Results of up to 24
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
    elif kind == "whole":
        t = np.floor(u * 80) + 1
    elif kind == "count":
        t = 20 + np.floor(u * 20)
    elif kind == "class-first":
        t = u * 512
        t[:, 0] = np.floor(u[:, 0] * 81) - 1
        t[:, 1] = u[:, 1]
    elif kind == "batched":
        t = u.copy()
        t[:, 0] = np.floor(u[:, 0] * 3)
        t[:, 1:5] = u[:, 1:5] * 512
        t[:, 5] = np.floor(u[:, 5] * 80)
    elif kind == "class-last":
        t = u * 512
        t[..., 0] = np.floor(u[..., 0] * 3)
        t[..., 5] = u[..., 5]
        t[..., 6] = np.floor(u[..., 6] * 80) + 1
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
    p = t[case.get("options", {}).get("output", "output0")].T
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


def detr_seg(t, case, size):
    boxes, s, cls = detr(t, case, size)
    logits = find(t, "logits").astype(np.float64)
    order = np.argsort(-(1 / (1 + np.exp(-logits))).astype(np.float32).ravel(), kind="stable")[: len(s)]
    return boxes, s, cls, {"maskCoefficients": np.eye(len(logits))[order // logits.shape[1]]}


def detr_decoded(t, case, size):
    rows = np.nonzero(t["scores"] > np.float32(case["scoreThreshold"]))[0]
    return t["boxes"][rows], t["scores"][rows], t["labels"][rows]


def sigmoid(x):
    return 1 / (1 + np.exp(-np.asarray(x, np.float64)))


def f32(x):
    return np.asarray(x, np.float64).astype(np.float32)


def columns_task(extra):
    """Candidates of YOLOv8 columns with `extra` rows after the classes, and those rows."""

    def head(t, case, size):
        p = t["output0"].T
        prototypes = t.get("output1")
        given = case.get("options", {}).get("classCount")
        more = len(prototypes) if extra == "masks" else 1 if extra == "angle" else len(p[0]) - 4 - (given or 1)
        n = len(p[0]) - 4 - more
        rows, cls, s = select(p[:, 4 : 4 + n], case)
        rest = p[rows, 4 + n :]
        if extra == "keypoints" and case.get("options", {}).get("keypointDims") == 2:
            xy = rest.reshape(len(rest), -1, 2)
            rest = np.concatenate([xy, np.ones_like(xy[..., :1])], 2).reshape(len(rest), -1)
        return centre_to_corner(p[rows, :4]), s, cls, {NAMES[extra]: rest}

    return head


NAMES = {"masks": "maskCoefficients", "angle": "angles", "keypoints": "keypoints"}


def grids(size, strides, offset):
    """Points of all cells in pixels and their strides."""
    points, s = [], []
    for stride in strides:
        ys, xs = np.mgrid[: -(-size[1] // stride), : -(-size[0] // stride)]
        points.append(np.stack([xs.ravel(), ys.ravel()], 1) * stride + offset(stride))
        s.append(np.full(xs.size, stride))
    return np.concatenate(points).astype(np.float64), np.concatenate(s)[:, None].astype(np.float64)


def dfl(logits, bins):
    x = np.asarray(logits, np.float64).reshape(len(logits), 4, bins)
    e = np.exp(x - x.max(2, keepdims=True))
    return (e / e.sum(2, keepdims=True) * np.arange(bins)).sum(2)


def around(points, ltrb):
    return np.concatenate([points - ltrb[:, :2], points + ltrb[:, 2:]], 1)


def flat(tensors, columns):
    """Levels [A*K, H, W] as rows, cell by cell."""
    return np.concatenate([a.reshape(a.shape[0], -1).T.reshape(-1, columns) for a in tensors])


def yolov8_raw(t, case, size):
    p = flat(t.values(), 68)
    points, stride = grids(size, (8, 16, 32), lambda s: s / 2)
    rows, cls, s = select(f32(sigmoid(p[:, 64:])), case)
    return around(points, dfl(p[:, :64], 16) * stride)[rows], s, cls


def yolov5_seg(t, case, size):
    p, masks = t["output0"], len(t["output1"])
    n = p.shape[1] - 5 - masks
    rows, cls, s = select(p[:, 4:5] * p[:, 5 : 5 + n], case)
    return centre_to_corner(p[rows, :4]), s, cls, {"maskCoefficients": p[rows, 5 + n :]}


def yolov5_face(t, case, size):
    p = t["output"]
    n = case.get("options", {}).get("classCount", 1)
    rows, cls, s = select(p[:, 4:5] * p[:, -n:], case)
    return centre_to_corner(p[rows, :4]), s, cls, {"keypoints": with_confidence(p[rows, 5:-n])}


ANCHORS = np.array([[10, 13, 16, 30, 33, 23], [30, 61, 62, 45, 59, 119], [116, 90, 156, 198, 373, 326]], np.float64)


def anchor_levels(decode):
    def head(t, case, size):
        boxes, scores = [], []
        for level, a in enumerate(t.values()):
            stride = 8 << level
            k = a.shape[-1] if a.ndim == 4 else a.shape[0] // 3
            h, w = size[1] // stride, size[0] // stride
            p = a.astype(np.float64) if a.ndim == 4 else a.astype(np.float64).reshape(3, k, h, w).transpose(0, 2, 3, 1)
            p = p.transpose(1, 2, 0, 3)
            ys, xs = np.mgrid[:h, :w]
            grid = np.stack([xs, ys], 2)[:, :, None]
            anchors = ANCHORS[level].reshape(1, 1, 3, 2)
            boxes.append(decode(p, grid, anchors, stride, case).reshape(-1, 4))
            scores.append((sigmoid(p[..., 4:5]) * sigmoid(p[..., 5:])).reshape(-1, k - 5))
        rows, cls, s = select(f32(np.concatenate(scores)), case)
        return centre_to_corner(np.concatenate(boxes)[rows]), s, cls

    return head


def v5_box(p, grid, anchors, stride, case):
    xy = (2 * sigmoid(p[..., :2]) - 0.5 + grid) * stride
    return np.concatenate([xy, (2 * sigmoid(p[..., 2:4])) ** 2 * anchors], 3)


def v3_box(p, grid, anchors, stride, case):
    k = case["options"]["scaleXY"]
    xy = (sigmoid(p[..., :2]) * k - (k - 1) / 2 + grid) * stride
    return np.concatenate([xy, np.exp(p[..., 2:4]) * anchors], 3)


def yolo_nas(t, case, size):
    scores = t["scores"] if t["scores"].shape[0] == len(t["boxes"]) else t["scores"].T
    rows, cls, s = select(scores, case)
    return t["boxes"][rows], s, cls


def rows_task(extra):
    def head(t, case, size):
        p = t["output0"]
        rows = np.nonzero(p[:, 4] > np.float32(case["scoreThreshold"]))[0]
        boxes = centre_to_corner(p[rows, :4]) if extra == "angle" else p[rows, :4]
        return boxes, p[rows, 4], p[rows, 5].astype(int), {NAMES[extra]: p[rows, 6:]}

    return head


def yolov7_rows(t, case, size):
    p = t["output"]
    rows = np.nonzero((p[:, 0] == case["image"]) & (p[:, 6] > np.float32(case["scoreThreshold"])))[0]
    return p[rows, 1:5], p[rows, 6], p[rows, 5].astype(int)


def nas_flat(t, case, size):
    p = t["flat"]
    rows = np.nonzero((p[:, 0] == case["image"]) & (p[:, 5] > np.float32(case["scoreThreshold"])))[0]
    return p[rows, 1:5], p[rows, 5], p[rows, 6].astype(int)


def automl_rows(t, case, size):
    p = t["detections"]
    p = p[p[:, 5] > np.float32(case["scoreThreshold"])]
    return p[:, [2, 1, 4, 3]], p[:, 5], p[:, 6].astype(int) - case["options"]["classOffset"]


def yolov4(t, case, size):
    rows, cls, s = select(t["confs"], case)
    return t["boxes"][rows, 0] * np.array([*size, *size]), s, cls


def yolov8_seg_rows(t, case, size):
    p, masks = t["output0"], len(t["output1"])
    rows, cls, s = select(p[:, 4:-masks], case)
    return centre_to_corner(p[rows, :4]), s, cls, {"maskCoefficients": p[rows, -masks:]}


def detr_concatenated(t, case, size):
    p = t["output0"]
    rows, cls, s = select(p[:, 4:], case)
    return centre_to_corner(p[rows, :4]) * np.array([*size, *size]), s, cls


def yolov8_rows(t, case, size):
    p = t["output0"]
    rows, cls, s = select(p[:, 4:], case)
    return centre_to_corner(p[rows, :4]), s, cls


def fastestdet(t, case, size):
    o = t["output"].astype(np.float64)
    h, w = o.shape[1:]
    ys, xs = np.mgrid[:h, :w]
    b = np.stack([(np.tanh(o[1]) + xs) / w, (np.tanh(o[2]) + ys) / h, sigmoid(o[3]), sigmoid(o[4])], -1).reshape(-1, 4)
    rows, cls, s = select(f32((o[0] ** 0.6 * o[5:] ** 0.4).reshape(len(o) - 5, -1).T), case)
    return centre_to_corner(b[rows] * np.array([*size, *size])), s, cls


def nanodet(t, case, size):
    a = list(t.values())
    half = len(a) // 2
    opts = case.get("options", {})
    offset = (lambda s: s / 2) if opts.get("cellPoint") == "middle" else (lambda s: (s - 1) / 2)
    points, stride = grids(size, (8, 16, 32)[:half], offset)
    scores = np.concatenate(a[:half])
    if opts.get("activation") == "sigmoid":
        scores = f32(sigmoid(scores))
    rows, cls, s = select(scores, case)
    return around(points, dfl(np.concatenate(a[half:]), 8) * stride)[rows], s, cls


def nanodet_plus(t, case, size):
    p = t["output"]
    points, stride = grids(size, (8, 16, 32, 64), lambda s: 0)
    rows, cls, s = select(p[:, :-32], case)
    return around(points, dfl(p[:, -32:], 8) * stride)[rows], s, cls


def ssd_boxes(loc, priors, size):
    loc, priors = np.asarray(loc, np.float64), np.asarray(priors, np.float64).reshape(-1, 4)
    xy = priors[:, :2] + loc[:, :2] * 0.1 * priors[:, 2:]
    wh = priors[:, 2:] * np.exp(loc[:, 2:] * 0.2)
    return centre_to_corner(np.concatenate([xy, wh], 1)) * np.array([*size, *size])


def ssd300_priors():
    """torchvision DefaultBoxGenerator of ssd300_vgg16."""
    scales = [0.07, 0.15, 0.33, 0.51, 0.69, 0.87, 1.05]
    out = []
    for k, (cells, step, ratios) in enumerate(
        zip([38, 19, 10, 5, 3, 1], [8, 16, 32, 64, 100, 300], [[2], [2, 3], [2, 3], [2, 3], [2], [2]])
    ):
        s, between = scales[k], (scales[k] * scales[k + 1]) ** 0.5
        wh = [[s, s], [between, between]]
        for r in ratios:
            wh += [[s * r**0.5, s / r**0.5], [s / r**0.5, s * r**0.5]]
        wh = np.clip(wh, 0, 1)
        ys, xs = np.mgrid[:cells, :cells]
        centre = (np.stack([xs.ravel(), ys.ravel()], 1) + 0.5) / (300 / step)
        out.append(np.concatenate([np.repeat(centre, len(wh), 0), np.tile(wh, (cells * cells, 1))], 1))
    return np.concatenate(out)


def softmax(x):
    e = np.exp(np.asarray(x, np.float64) - np.max(x, 1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def ssd(t, case, size):
    loc, conf = t.values()
    priors = case.get("options", {}).get("priors", None) or ssd300_priors()
    rows, cls, s = select(f32(softmax(conf))[:, 1:], case)
    return ssd_boxes(loc, priors, size)[rows], s, cls


def cell_anchors(stride, style, cell=None):
    size = [4 * stride * 2 ** (i / 3) for i in range(3)]
    if style == "torchvision":
        size = [int(s) for s in size]
    if style == "efficientdet":
        # automl anchors.py: sizes in cells, which share the image evenly
        half = np.array([[2 ** (i / 3) * 2 * w, 2 ** (i / 3) * 2 * h] for i in range(3) for w, h in ((1, 1), (1.4, 0.7), (0.7, 1.4))]) * cell
        return np.concatenate([-half, half], 1)
    pairs = [(s, r) for s in size for r in (0.5, 1, 2)] if style == "detectron2" else [(s, r) for r in (0.5, 1, 2) for s in size]
    a = np.array([[-s / r**0.5 / 2, -s * r**0.5 / 2, s / r**0.5 / 2, s * r**0.5 / 2] for s, r in pairs])
    return np.round(a) if style == "torchvision" else a


def anchored(default):
    def head(t, case, size):
        style = case.get("options", {}).get("anchorStyle", default)
        a = list(t.values())
        if len(a) == 2:
            cls_logits, deltas = a
        else:
            half = len(a) // 2
            cls_logits, deltas = flat(a[:half], a[0].shape[0] // 9), flat(a[half:], 4)
        anchors = []
        for stride in (8, 16, 32, 64, 128):
            across, down = -(-size[0] // stride), -(-size[1] // stride)
            ys, xs = np.mgrid[:down, :across]
            cell = np.array([size[0] / across, size[1] / down]) if style == "efficientdet" else np.array([stride, stride])
            shift = np.stack([xs.ravel(), ys.ravel()], 1) * cell + (cell / 2 if style == "efficientdet" else 0)
            anchors.append((np.tile(shift, 2)[:, None] + cell_anchors(stride, style, cell)[None]).reshape(-1, 4))
        anchors = np.concatenate(anchors)
        d = deltas.astype(np.float64)
        if style == "efficientdet":
            d = d[:, [1, 0, 3, 2]]
        else:
            d[:, 2:] = np.minimum(d[:, 2:], np.log(1000 / 16))
        wh = anchors[:, 2:] - anchors[:, :2]
        centre = anchors[:, :2] + wh / 2
        boxes = centre_to_corner(np.concatenate([centre + d[:, :2] * wh, np.exp(d[:, 2:]) * wh], 1))
        rows, cls, s = select(f32(sigmoid(cls_logits)), case)
        return boxes[rows], s, cls

    return head


def fcos(t, case, size):
    names = list(t)
    opts = case.get("options", {})
    part = lambda key, k: flat([t[n] for n in names if n.startswith(key)], k)
    corner = opts.get("cellPoint") == "corner"
    points, stride = grids(size, (8, 16, 32, 64, 128), lambda s: 0 if corner else s / 2)
    scores = sigmoid(part("cls", 6))
    if "centerness0" in t:
        scores = scores * sigmoid(part("centerness", 1))
        if opts.get("scoring") != "product":
            scores = np.sqrt(scores)
    rows, cls, s = select(f32(scores), case)
    unit = 1 if opts.get("distanceUnit") == "pixels" else stride
    return around(points, part("box", 4).astype(np.float64) * unit)[rows], s, cls


def centernet(t, case, size):
    heat = t["hm"]
    n, h, w = heat.shape
    padded = np.pad(heat, ((0, 0), (1, 1), (1, 1)), constant_values=-np.inf)
    highest = np.max([padded[:, y : y + h, x : x + w] for y in range(3) for x in range(3)], 0)
    scores = f32(sigmoid(heat)) if case.get("options", {}).get("activation") else heat
    scores = np.where(heat == highest, scores, -1).reshape(n, -1).T.ravel()
    order = np.argsort(-scores, kind="stable")[:100]
    order = order[scores[order] > np.float32(case["scoreThreshold"])]
    cell, cls = order // n, order % n
    at = np.stack([cell % w, cell // w], 1).astype(np.float64)
    at = at + (t["reg"].reshape(2, -1).T[cell] if "reg" in t else 0.5)
    wh = t["wh"].reshape(2, -1).T[cell].astype(np.float64)
    return centre_to_corner(np.concatenate([at, wh], 1)) * 4, scores[order], cls


def centerface(t, case, size):
    """centerface.py of Star-Clouds/CenterFace without its moves into the picture."""
    heat, scale, offset, lms = (a.astype(np.float64) for a in t.values())
    boxes, kps, scores = [], [], []
    for y, x in zip(*np.nonzero(t["537"][0] > np.float32(case["scoreThreshold"]))):
        h, w = np.exp(scale[0, y, x]) * 4, np.exp(scale[1, y, x]) * 4
        x1 = (x + offset[1, y, x] + 0.5) * 4 - w / 2
        y1 = (y + offset[0, y, x] + 0.5) * 4 - h / 2
        boxes.append([x1, y1, x1 + w, y1 + h])
        kps.append([v for j in range(5) for v in (lms[2 * j + 1, y, x] * w + x1, lms[2 * j, y, x] * h + y1)])
        scores.append(t["537"][0, y, x])
    return np.array(boxes), np.array(scores), np.zeros(len(scores), int), {"keypoints": with_confidence(np.array(kps))}


def square_priors(size, strides, sizes, even=False):
    """RetinaFace steps by the stride; UltraFace (`even`) divides each side by its number of cells."""
    out = []
    for stride, level in zip(strides, sizes):
        ny, nx = -(-size[1] // stride), -(-size[0] // stride)
        sx, sy = (nx, ny) if even else (size[0] / stride, size[1] / stride)
        for y in range(ny):
            for x in range(nx):
                for m in level:
                    out.append([(x + 0.5) / sx, (y + 0.5) / sy, m / size[0], m / size[1]])
    return np.array(out)


def ultraface(t, case, size):
    rows, cls, s = select(t["scores"][:, 1:], case)
    return t["boxes"][rows] * np.array([*size, *size]), s, cls


def ultraface_raw(t, case, size):
    priors = square_priors(size, (8, 16, 32, 64), ([10, 16, 24], [32, 48], [64, 96], [128, 192, 256]), True)
    rows, cls, s = select(t["scores"][:, 1:], case)
    return ssd_boxes(t["boxes"], np.clip(priors, 0, 1), size)[rows], s, cls


def with_confidence(xy):
    xy = xy.reshape(len(xy), -1, 2)
    return np.concatenate([xy, np.ones_like(xy[..., :1])], 2).reshape(len(xy), -1)


def retinaface(t, case, size):
    a = list(t.values())
    loc, conf, lm = (a[0][:, :4], a[0][:, 4:6], a[0][:, 6:]) if len(a) == 1 else a
    priors = square_priors(size, (8, 16, 32), ([16, 32], [64, 128], [256, 512]))
    scores = f32(softmax(conf)) if len(a) == 1 else conf
    rows, cls, s = select(scores[:, 1:], case)
    lm = lm.reshape(-1, 5, 2).astype(np.float64) * 0.1 * priors[:, None, 2:] + priors[:, None, :2]
    return ssd_boxes(loc, priors, size)[rows], s, cls, {"keypoints": with_confidence((lm * np.array(size))[rows])}


def face_levels(t, per_cell, size):
    names = list(t)
    part = lambda key: np.concatenate([t[n] for n in names if n.startswith(key)])
    points, stride = grids(size, (8, 16, 32), lambda s: 0)
    return part, np.repeat(points, per_cell, 0), np.repeat(stride, per_cell, 0)


def scrfd(t, case, size):
    part, points, stride = face_levels(t, 2, size)
    rows, cls, s = select(part("score"), case)
    boxes = around(points, part("bbox") * stride)
    kps = part("kps").reshape(-1, 5, 2) * stride[:, :, None] + points[:, None]
    return boxes[rows], s, cls, {"keypoints": with_confidence(kps[rows])}


def yunet(t, case, size):
    part, points, stride = face_levels(t, 1, size)
    scores = np.sqrt(part("cls").astype(np.float64) * part("obj"))
    rows, cls, s = select(f32(scores), case)
    b = part("bbox").astype(np.float64)
    boxes = centre_to_corner(np.concatenate([points + b[:, :2] * stride, np.exp(b[:, 2:]) * stride], 1))
    kps = part("kps").reshape(-1, 5, 2) * stride[:, :, None] + points[:, None]
    return boxes[rows], s, cls, {"keypoints": with_confidence(kps[rows])}


def blazeface(t, case, size):
    a = list(t.values())
    raw = np.concatenate([x for x in a if x.shape[1] == 16]).astype(np.float64)
    scores = np.concatenate([x for x in a if x.shape[1] == 1])
    centres = []
    for cells, per in ((16, 2), (8, 6)):
        ys, xs = np.mgrid[:cells, :cells]
        centres.append(np.repeat((np.stack([xs.ravel(), ys.ravel()], 1) + 0.5) / cells, per, 0))
    anchors = np.concatenate(centres) * size[0]
    boxes = centre_to_corner(np.concatenate([raw[:, :2] + anchors, raw[:, 2:4]], 1))
    kps = raw[:, 4:].reshape(-1, 6, 2) + anchors[:, None]
    rows, cls, s = select(f32(sigmoid(np.clip(scores, -100, 100))), case)
    return boxes[rows], s, cls, {"keypoints": with_confidence(kps[rows])}


def detected(box_key, score_key, class_key, count_key, yxyx):
    def head(t, case, size):
        n = int(np.ravel(t[count_key])[0]) if count_key else len(t[score_key])
        rows = np.nonzero(t[score_key][:n] > np.float32(case["scoreThreshold"]))[0]
        boxes = t[box_key][rows]
        if yxyx:
            boxes = boxes[:, [1, 0, 3, 2]] * np.array([*size, *size])
        return boxes, t[score_key][rows], t[class_key][rows].astype(int) - case.get("options", {}).get("classOffset", 0)

    return head


def mmdeploy(t, case, size):
    rows = np.nonzero(t["dets"][:, 4] > np.float32(case["scoreThreshold"]))[0]
    return t["dets"][rows, :4], t["dets"][rows, 4], t["labels"][rows]


def paddle(t, case, size):
    first = int(t["counts"][: case.get("image", 0)].sum())
    rows = t["rows"][first : first + int(t["counts"][case.get("image", 0)])]
    rows = rows[(rows[:, 1] > np.float32(case["scoreThreshold"])) & (rows[:, 0] >= 0)]
    return rows[:, 2:], rows[:, 1], rows[:, 0]


HEADS = {
    "yolov8": yolov8, "yolov8-seg": columns_task("masks"), "yolov8-pose": columns_task("keypoints"),
    "yolov8-obb": columns_task("angle"), "yolov8-raw": yolov8_raw, "yolov8-rows": yolov8_rows,
    "yolov5": yolov5, "yolov5-seg": yolov5_seg, "yolov5-face": yolov5_face, "yolov5-raw": anchor_levels(v5_box), "yolov3": anchor_levels(v3_box),
    "yolov8-seg-rows": yolov8_seg_rows, "yolov4": yolov4,
    "yolox": yolox, "yolo-nas": yolo_nas, "yolo-nas-flat": nas_flat,
    "end-to-end": end_to_end, "end-to-end-seg": rows_task("masks"), "end-to-end-pose": rows_task("keypoints"),
    "end-to-end-obb": rows_task("angle"), "yolov7-end-to-end": yolov7_rows,
    "detr": detr, "detr-seg": detr_seg, "detr-softmax": detr_softmax, "detr-decoded": detr_decoded, "detr-concatenated": detr_concatenated,
    "fastestdet": fastestdet, "nanodet": nanodet, "nanodet-plus": nanodet_plus, "ssd": ssd,
    "retinanet": anchored("torchvision"), "efficientdet": anchored("efficientdet"), "fcos": fcos, "centernet": centernet,
    "efficientdet-rows": automl_rows, "centerface": centerface,
    "ultraface": ultraface, "ultraface-raw": ultraface_raw, "retinaface": retinaface, "scrfd": scrfd, "yunet": yunet,
    "blazeface": blazeface,
    "tf-detections": detected("detection_boxes", "detection_scores", "detection_classes", "num_detections", True),
    "torchvision": detected("boxes", "scores", "labels", None, False),
    "efficient-nms": detected("det_boxes", "det_scores", "det_classes", "num_dets", False),
    "mmdeploy": mmdeploy, "paddle-detection": paddle,
}

# outputs of these have no batch dimension
UNBATCHED = ("torchvision", "yolov7-end-to-end", "yolo-nas-flat", "scrfd", "paddle-detection")


def run(case):
    half = case.get("half", False)
    tensors = {}
    for i, (name, spec) in enumerate(case["tensors"].items()):
        t = tensor(spec, case["seed"] + 1000 * i, case["input"], half)
        tensors[name] = t if case["head"] in UNBATCHED else t[case.get("image", 0)]
    result = HEADS[case["head"]](tensors, case, case["input"])
    boxes, scores, classes = result[:3]
    count = len(scores)
    step = 1 if count <= 24 else count // 16
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
