"""SAHI's slices of images of several sizes: writes tiles.json, one list of [left, top, right, bottom] a case.

Run: pip install --no-deps sahi==0.12.8; python3 generate.py
"""
import json
import os

from sahi.slicing import get_slice_bboxes

# image width, height, tile width, height, overlap
CASES = [
    (1000, 600, 640, 640, 0.2),
    (4000, 3000, 640, 640, 0.2),
    (640, 640, 640, 640, 0.2),
    (641, 639, 640, 640, 0.2),
    (500, 300, 640, 640, 0.5),
    (1280, 720, 512, 256, 0.1),
    (1024, 1024, 512, 512, 0.0),
    (97, 211, 32, 48, 0.33),
    (300, 300, 100, 100, 0.75),
]

out = [
    dict(case=c, tiles=get_slice_bboxes(c[1], c[0], c[3], c[2], False, c[4], c[4]))
    for c in CASES
]
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "tiles.json"), "w") as file:
    json.dump(out, file)
    file.write("\n")
