"""Masks of RF-DETR's post-processing (bilinear to the picture, above 0) on seeded logits, in torch.

python3 masks.py        (numpy and torch; versions are written into masks.json)

`rows` are the pixels of the picture, 0 or 1, without any regard to boxes.
"""
import json
import pathlib
import numpy as np
import torch
from generate import uniform

HERE = pathlib.Path(__file__).parent
QUERIES, H, W = 5, 6, 8
PICTURE = (29, 23)  # width, height

logits = torch.from_numpy((uniform(171, QUERIES * H * W) * 4 - 2).reshape(1, QUERIES, H, W).astype(np.float32))
masks = torch.nn.functional.interpolate(logits, size=PICTURE[::-1], mode="bilinear", align_corners=False)[0] > 0
out = {
    "numpy": np.__version__,
    "torch": torch.__version__,
    "seed": 171,
    "dims": [1, QUERIES, H, W],
    "picture": list(PICTURE),
    "rows": [["".join("01"[int(v)] for v in row) for row in mask.int()] for mask in masks],
}
(HERE / "masks.json").write_text(json.dumps(out, indent=1) + "\n")
