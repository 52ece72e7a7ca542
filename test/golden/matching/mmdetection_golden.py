"""Assignments by mmdetection's own assigners, on the scenes of references_golden.py.

pip install --no-deps mmdet==3.3.0 mmengine==0.10.5 addict yapf termcolor rich packaging; python mmdetection_golden.py
(BOXOPS_TEST_DATA for the real sets). The assigners need no compiled mmcv, so what else mmdet imports is replaced by stubs;
topk, whose choice among equal values is unspecified, is made stable: the lower index first.
"""
import os
import sys
import types
from unittest.mock import MagicMock

import numpy as np
import torch

for name in ["cv2", "matplotlib", "matplotlib.pyplot", "matplotlib.patches", "matplotlib.collections", "pycocotools", "shapely", "shapely.geometry", "terminaltables"]:
    try:
        __import__(name)
    except ImportError:
        sys.modules[name] = MagicMock()
root = next(path for path in sys.path if os.path.isdir(os.path.join(path, "mmdet")))
sys.modules["mmcv"] = types.ModuleType("mmcv")
for name in ["mmcv.ops", "mmcv.cnn", "mmcv.transforms", "mmdet.models.utils", "mmdet.structures.mask", "mmdet.structures.mask.structures"]:
    sys.modules[name] = MagicMock()
for name in ["mmdet", "mmdet.models", "mmdet.models.task_modules", "mmdet.structures", "mmdet.utils"]:
    package = types.ModuleType(name)
    package.__path__ = [os.path.join(root, *name.split("."))]
    sys.modules[name] = package
sys.modules["mmdet.utils"].ConfigType = sys.modules["mmdet.utils"].OptConfigType = dict

import mmengine  # noqa: E402
from mmdet.models.task_modules import assigners  # noqa: E402
from mmengine.structures import InstanceData  # noqa: E402

import references_golden as golden  # noqa: E402
import sets  # noqa: E402


def stable_topk(values, k, dim=-1, largest=True, sorted=True):
    ordered, index = torch.sort(values, dim=dim, descending=largest, stable=True)
    return ordered.narrow(dim, 0, k), index.narrow(dim, 0, k)


torch.topk = torch.Tensor.topk = stable_topk
torch.set_num_threads(1)


def index_of(result):
    """0 background, -1 ignored, i + 1 -> -1 background, -2 ignored, i."""
    return torch.where(result.gt_inds < 0, torch.full_like(result.gt_inds, -2), result.gt_inds - 1)


def methods_of(width, height, gts, labels, seed):
    truth = InstanceData(bboxes=torch.from_numpy(gts), labels=torch.tensor(labels))
    p5, s5, l5 = golden.grid(width, height, [8, 16, 32, 64, 128], 0.5)
    counts = [int((l5 == k).sum()) for k in range(5)]
    p3, s3, _ = golden.grid(width, height, [8, 16, 32], 0.5)
    boxes, scores = [torch.from_numpy(a) for a in sets.predictions(seed + 100, p3, gts, golden.CLASSES)]
    anchors = golden.squares(p5 - 0.5 * s5[:, None], 8.0 * s5)
    corner = torch.from_numpy(np.concatenate([golden.grid(width, height, [8, 16, 32], 0)[0], np.stack([s3, s3], 1)], 1).astype(np.float32))
    middle = golden.squares(p3, s3.astype(np.float64))
    out = {}

    def run(name, assigner, prediction, ignore=None, gt=truth, **rest):
        result = assigner.assign(prediction, gt_instances=gt, gt_instances_ignore=ignore, **rest)
        out[name] = golden.summary(index_of(result))

    run("atss", assigners.ATSSAssigner(topk=9), InstanceData(priors=anchors), num_level_priors=counts)
    run("simota mmdetection", assigners.SimOTAAssigner(center_radius=2.5), InstanceData(priors=corner, bboxes=boxes, scores=scores))
    run("dsl", assigners.DynamicSoftLabelAssigner(topk=13), InstanceData(priors=corner, bboxes=boxes, scores=(scores - 0.5) * 8))
    run("tal mmdetection", assigners.TaskAlignedAssigner(topk=13), InstanceData(priors=middle, bboxes=boxes, scores=scores))
    rules = {
        "retinanet": dict(pos_iou_thr=0.5, neg_iou_thr=0.4, min_pos_iou=0.0),
        "rpn": dict(pos_iou_thr=0.7, neg_iou_thr=0.3, min_pos_iou=0.3),
        "ssd": dict(pos_iou_thr=0.5, neg_iou_thr=0.5, min_pos_iou=0.0, gt_max_assign_all=False),
        "range": dict(pos_iou_thr=0.5, neg_iou_thr=(0.1, 0.4), min_pos_iou=0.0),
    }
    for name, rule in rules.items():
        run(f"max-iou {name}", assigners.MaxIoUAssigner(**rule), InstanceData(priors=anchors))
    half = max(1, len(gts) // 2)
    ignore = InstanceData(bboxes=truth.bboxes[half:])
    for name, wrt in [("max-iou ignore", True), ("max-iou ignore region", False)]:
        assigner = assigners.MaxIoUAssigner(**rules["retinanet"], ignore_iof_thr=0.5, ignore_wrt_candidates=wrt)
        run(name, assigner, InstanceData(priors=anchors), ignore, truth[:half])
    p1 = golden.grid(width, height, [32], 0.5)[0]
    one = golden.squares(p1, np.full(len(p1), 128.0))
    predicted = torch.from_numpy(sets.predictions(seed + 200, p1, gts, 1)[0])
    run("uniform", assigners.UniformAssigner(0.15, 0.7), InstanceData(priors=one, decoder_priors=predicted))
    return out


golden.write("mmdetection", methods_of, sets.versions(torch, mmengine, np) | {"mmdet": "3.3.0"})
