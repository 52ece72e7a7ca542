"""Pictures resized by Pillow, as hashes of their bytes, and whole input tensors: writes antialias.json.

Run: pip install pillow==11.3.0 numpy; python3 generate_antialias.py. A picture of w×h is `integers(seed, 3·w·h, 256)`. A
hash is the FNV-1a of the RGB rows, of a tensor that of its float32 bytes. Every Pillow before 12.2 filters rows first,
then columns; from 12.2 on shapes whose columns cost less begin with those, and a pixel may differ by one grey level.
"""
import json
import os
import sys

import numpy as np
import PIL
from PIL import Image

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, ".."))
from seeded import integers  # noqa: E402

# source width, height, target width, height
SIZES = [
    (640, 480, 320, 320),
    (640, 427, 320, 320),
    (427, 640, 640, 640),
    (1280, 720, 416, 234),
    (500, 375, 97, 411),
    (333, 257, 332, 258),
    (31, 17, 31, 17),
    (31, 17, 31, 5),
    (31, 17, 62, 17),
    (640, 3, 7, 119),
    (3, 640, 119, 7),
    (40, 30, 120, 121),
    (1, 1, 5, 4),
    (1, 9, 7, 3),
    (9, 1, 4, 6),
    (64, 48, 1, 1),
    (65, 47, 1, 13),
    (47, 65, 13, 1),
    (2, 2, 1, 1),
    (2, 3, 3, 2),
    (5000, 7, 3, 3),
    (7, 4099, 3, 1),
]

# source width, height, input width, height, fit, order, layout, mean, std
IMAGENET = [[123.675, 116.28, 103.53], [58.395, 57.12, 57.375]]
TENSORS = [
    (640, 427, 320, 320, "stretch", "rgb", "nchw", [0, 0, 0], [255, 255, 255]),
    (123, 77, 96, 64, "letterbox", "rgb", "nchw", *IMAGENET),
    (77, 123, 96, 64, "letterbox", "bgr", "nhwc", [103.53, 116.28, 123.675], [57.375, 57.12, 58.395]),
    (300, 211, 96, 64, "letterbox-top-left", "bgr", "nchw", [0, 0, 0], [1, 1, 1]),
    (20, 31, 96, 64, "letterbox-top-left", "rgb", "nhwc", [127.5, 127.5, 127.5], [127.5, 127.5, 127.5]),
]


def fnv(data):
    value = 0x811C9DC5
    for byte in data:
        value = ((value ^ byte) * 0x01000193) & 0xFFFFFFFF
    return f"{value:08x}"


def picture(seed, width, height):
    return Image.fromarray(integers(seed, 3 * width * height, 256).astype(np.uint8).reshape(height, width, 3))


def resize(image, width, height):
    return np.asarray(image.resize((width, height), Image.BILINEAR))


def tensor(image, width, height, fit, order, layout, mean, std):
    """Ultralytics' LetterBox or YOLOX's preproc for the place, Pillow for the pixels."""
    if fit == "stretch":
        canvas = resize(image, width, height)
    else:
        ratio = min(width / image.width, height / image.height)
        whole = round if fit == "letterbox" else int
        w, h = whole(image.width * ratio), whole(image.height * ratio)
        left, top = (round((width - w) / 2 - 0.1), round((height - h) / 2 - 0.1)) if fit == "letterbox" else (0, 0)
        canvas = np.full((height, width, 3), 114, np.uint8)
        canvas[top : top + h, left : left + w] = resize(image, w, h)
    if order == "bgr":
        canvas = canvas[..., ::-1]
    values = ((canvas.astype(np.float64) - mean) / std).astype(np.float32)
    return values.transpose(2, 0, 1) if layout == "nchw" else values


cases = []
for seed, (width, height, to_width, to_height) in enumerate(SIZES, 1):
    rows = resize(picture(seed, width, height), to_width, to_height)
    cases.append(dict(seed=seed, source=[width, height], target=[to_width, to_height], hash=fnv(rows.tobytes())))

tensors = []
for seed, (width, height, to_width, to_height, fit, order, layout, mean, std) in enumerate(TENSORS, 101):
    values = tensor(picture(seed, width, height), to_width, to_height, fit, order, layout, mean, std)
    tensors.append(
        dict(
            seed=seed,
            source=[width, height],
            size=dict(width=to_width, height=to_height),
            fit=fit,
            channelOrder=order,
            layout=layout,
            mean=mean,
            std=std,
            hash=fnv(np.ascontiguousarray(values).tobytes()),
        )
    )

with open(os.path.join(HERE, "antialias.json"), "w") as file:
    json.dump(dict(pillow=PIL.__version__, cases=cases, tensors=tensors), file, indent=1)
    file.write("\n")
