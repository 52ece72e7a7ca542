"""Rotated boxes that ultralytics decodes from distances: writes rotated_distance.json, rows of cx, cy, w, h.

Run: pip install --no-deps ultralytics==8.3.40; python3 rotated_distance_golden.py
"""
import json
import os
import sys

import torch

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, ".."))
from seeded import uniform  # noqa: E402
from ultralytics.utils.tal import dist2rbox  # noqa: E402

COUNT = 20
distances = torch.tensor(uniform(1, 4 * COUNT, 0, 15)).reshape(COUNT, 4)
angles = torch.tensor(uniform(2, COUNT, -0.75, 2.25)).reshape(COUNT, 1)
points = torch.tensor(uniform(3, 2 * COUNT, 0, 80)).reshape(COUNT, 2)
boxes = dist2rbox(distances, angles, points, dim=-1)

with open(os.path.join(HERE, "rotated_distance.json"), "w") as file:
    json.dump([[round(v, 9) for v in row] for row in boxes.tolist()], file)
    file.write("\n")
