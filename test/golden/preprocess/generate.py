"""Pictures resized by OpenCV, as hashes of their bytes: writes resize.json, an FNV-1a of the RGB rows a case.

Run: pip install opencv-python-headless==4.11.0.86; python3 generate.py. A picture of w×h is `integers(seed, 3·w·h, 256)`.
"""
import json
import os
import sys

import cv2
import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, ".."))
from seeded import integers  # noqa: E402

# source width, height, target width, height
SIZES = [
    (640, 480, 416, 312),
    (1280, 720, 640, 360),
    (427, 640, 214, 320),
    (500, 375, 640, 480),
    (640, 427, 320, 214),
    (333, 257, 97, 411),
    (64, 64, 32, 32),
    (63, 65, 32, 32),
    (40, 30, 120, 120),
    (31, 17, 31, 17),
    (1, 1, 5, 4),
    (1, 9, 7, 3),
    (9, 1, 4, 6),
    (2, 2, 1, 1),
    (200, 3, 9, 238),
    (3, 210, 238, 119),
]


def fnv(data):
    value = 0x811C9DC5
    for byte in data:
        value = ((value ^ byte) * 0x01000193) & 0xFFFFFFFF
    return f"{value:08x}"


cases = []
for seed, (width, height, to_width, to_height) in enumerate(SIZES, 1):
    picture = integers(seed, 3 * width * height, 256).astype(np.uint8).reshape(height, width, 3)
    resized = cv2.resize(picture, (to_width, to_height), interpolation=cv2.INTER_LINEAR)
    cases.append(dict(seed=seed, source=[width, height], target=[to_width, to_height], hash=fnv(resized.tobytes())))

with open(os.path.join(HERE, "resize.json"), "w") as file:
    json.dump(dict(opencv=cv2.__version__, cases=cases), file, indent=1)
    file.write("\n")
