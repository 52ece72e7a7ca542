"""mmrotate's own rotated box coder, its one file run alone: what it imports of mmcv and of mmrotate is stubbed or restated.

pip download --no-deps mmrotate==0.3.4; python mmrotate_golden.py <unpacked wheel>. Boxes are cx, cy, w, h, angle in
radians; float32 inside the coder, as it is.
"""
import json
import os
import sys
import types

import numpy as np
import torch

import sets

ROOT = sys.argv[1]


def norm_angle(angle, angle_range):
    """As mmrotate.core.bbox.transforms has it."""
    if angle_range == "oc":
        return angle
    start = {"le135": -np.pi / 4, "le90": -np.pi / 2}[angle_range]
    return (angle - start) % np.pi + start


def module(name, **members):
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].__dict__.update(members)


class Registry:
    def register_module(self):
        return lambda cls: cls


module("mmcv", jit=lambda **_: (lambda f: f))
module("mmdet"), module("mmdet.core"), module("mmdet.core.bbox"), module("mmdet.core.bbox.coder")
module("mmdet.core.bbox.coder.base_bbox_coder", BaseBBoxCoder=object)
for name in ["mmrotate", "mmrotate.core", "mmrotate.core.bbox", "mmrotate.core.bbox.coder"]:
    module(name)
module("mmrotate.core.bbox.builder", ROTATED_BBOX_CODERS=Registry())
module("mmrotate.core.bbox.transforms", norm_angle=norm_angle)
path = os.path.join(ROOT, "mmrotate/core/bbox/coder/delta_xywha_rbbox_coder.py")
source = open(path).read().replace("from ..", "from mmrotate.core.bbox.")
scope = {"__name__": "mmrotate.core.bbox.coder.delta_xywha_rbbox_coder"}
exec(compile(source, path, "exec"), scope)
Coder = scope["DeltaXYWHAOBBoxCoder"]


def rotated(seed, n):
    u = sets.uniform(seed, 5 * n, 0, 1).reshape(n, 5)
    return (u * [200, 160, 60, 60, 4] + [0, 0, 4, 4, -2]).astype(np.float32)


N = 12
priors, boxes, raw = rotated(1, N), rotated(2, N), sets.uniform(3, 5 * N, -2, 2).reshape(N, 5).astype(np.float32)
tensor = torch.from_numpy
out = {}
for angle_range in ["oc", "le90", "le135"]:
    for edge_swap in [False, True]:
        for proj_xy in [False, True]:
            for norm_factor in [None, 2]:
                coder = Coder(target_stds=(0.1, 0.1, 0.2, 0.2, 0.1), angle_range=angle_range, edge_swap=edge_swap, proj_xy=proj_xy, norm_factor=norm_factor)
                out[f"{angle_range} {edge_swap:d} {proj_xy:d} {norm_factor or 0}"] = {
                    "encoded": [round(v, 5) for v in coder.encode(tensor(priors), tensor(boxes)).flatten().tolist()],
                    "decoded": [round(v, 4) for v in coder.decode(tensor(priors), tensor(raw.copy())).flatten().tolist()],
                }

with open(os.path.join(os.path.dirname(__file__), "mmrotate.json"), "w") as file:
    json.dump({"versions": sets.versions(torch, np) | {"mmrotate": "0.3.4"}, "results": out}, file, separators=(",", ":"))
    file.write("\n")
