"""Golden values for src/boxes: torchvision's box operations, and Ultralytics' letterbox restated with Python's own round.

Boxes come from the linear congruential generator that sequence.ts repeats (x -> 1664525 x + 1013904223 mod 2^32), cast
to float32; torchvision then runs in float64 on those float32 values. The letterbox part restates LetterBox and
scale_boxes of Ultralytics 8.3 and preproc of YOLOX in plain Python floats; neither library is imported.

Run: OMP_NUM_THREADS=1 /usr/bin/python3 generate.py      (versions are written into the file)
"""
import json
import os
import sys

import numpy as np
import torch
import torchvision
from torchvision.ops import box_area, box_convert, clip_boxes_to_image, remove_small_boxes

COUNT = 24


class Sequence:
    def __init__(self, seed):
        self.state = seed

    def below(self, bound):
        self.state = (1664525 * self.state + 1013904223) % 2**32
        return (self.state >> 8) % bound


def boxes(seed, count):
    """x1, y1 in -60 … 700, sides 0 … 300, thousandths; every fifth box has a side of zero."""
    s = Sequence(seed)
    rows = []
    for i in range(count):
        x, y, w, h = s.below(760000) / 1000 - 60, s.below(760000) / 1000 - 60, s.below(300000) / 1000, s.below(300000) / 1000
        if i % 5 == 4:
            w = 0.0
        rows.append([x, y, x + w, y + h])
    return torch.tensor(np.array(rows, dtype=np.float32)).double()


def rounded(tensor):
    return [float(repr(v)) for v in tensor.reshape(-1).tolist()]


def letterbox(source_w, source_h, target_w, target_h, stride=None, scale_up=True):
    r = min(target_h / source_h, target_w / source_w)
    if not scale_up:
        r = min(r, 1.0)
    unpad = int(round(source_w * r)), int(round(source_h * r))
    dw, dh = target_w - unpad[0], target_h - unpad[1]
    if stride is not None:
        dw, dh = dw % stride, dh % stride
    dw /= 2
    dh /= 2
    top, bottom = int(round(dh - 0.1)), int(round(dh + 0.1))
    left, right = int(round(dw - 0.1)), int(round(dw + 0.1))
    return {"content": [left, top, *unpad], "target": [left + unpad[0] + right, top + unpad[1] + bottom]}


def scale_boxes(target_w, target_h, box, source_w, source_h):
    gain = min(target_h / source_h, target_w / source_w)
    pad_x = round((target_w - source_w * gain) / 2 - 0.1)
    pad_y = round((target_h - source_h * gain) / 2 - 0.1)
    x1, y1, x2, y2 = [(v - p) / gain for v, p in zip(box, (pad_x, pad_y, pad_x, pad_y))]
    clip = lambda v, high: min(max(v, 0.0), float(high))
    return [clip(x1, source_w), clip(y1, source_h), clip(x2, source_w), clip(y2, source_h)]


def letterboxes():
    s = Sequence(7)
    fixed = [(768, 576, 416, 416), (640, 427, 640, 640), (427, 640, 640, 640), (1, 1, 640, 640), (3, 1280, 640, 640),
             (100, 101, 10, 10), (1280, 720, 320, 320), (1920, 1080, 640, 384), (25, 50, 33, 33), (75, 50, 99, 99)]
    sizes = fixed + [(1 + s.below(4000), 1 + s.below(4000), 16 + s.below(1300), 16 + s.below(1300)) for _ in range(190)]
    rows = []
    for source_w, source_h, target_w, target_h in sizes:
        r = min(target_h / source_h, target_w / source_w)
        if min(round(source_w * r), round(source_h * r), int(source_w * r), int(source_h * r)) < 1:
            continue  # the references cannot resize to zero pixels
        box = [target_w * 0.25, target_h * 0.375, target_w * 0.625, target_h * 0.875]
        rows.append({
            "sizes": [source_w, source_h, target_w, target_h],
            "full": letterbox(source_w, source_h, target_w, target_h),
            "auto": letterbox(source_w, source_h, target_w, target_h, stride=32),
            "down": letterbox(source_w, source_h, target_w, target_h, scale_up=False),
            "topLeft": [int(source_w * r), int(source_h * r)],
            "scaled": scale_boxes(target_w, target_h, box, source_w, source_h),
        })
    return rows


def main():
    b = boxes(1, COUNT)
    formats = ["xyxy", "xywh", "cxcywh"]
    convert = {}
    for a in formats:
        given = box_convert(b, "xyxy", a).float().double()
        for c in formats:
            if a != c:
                convert[f"{a}-{c}"] = rounded(box_convert(given, a, c))
    golden = {
        "versions": {"python": sys.version.split()[0], "torch": torch.__version__, "torchvision": torchvision.__version__},
        "count": COUNT,
        "convert": convert,
        "area": rounded(box_area(b)),
        "clip": rounded(clip_boxes_to_image(b, (480, 640))),
        "small": {str(size): remove_small_boxes(b, size).tolist() for size in (0, 0.5, 20, 150)},
        "letterbox": letterboxes(),
    }
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "boxes.json"), "w") as file:
        json.dump(golden, file, separators=(",", ":"))
        file.write("\n")


main()
