"""mmdetection's own assigners on the scenes of references_golden.py, its anchor generators and its box coders.

python mmdetection_golden.py (BOXOPS_TEST_DATA for the real sets); see mmlab.py for what it needs.
"""
import numpy as np
import torch

import mmlab  # noqa: F401
import mmengine
from mmdet.models.task_modules import assigners, coders
from mmdet.models.task_modules.prior_generators import AnchorGenerator, SSDAnchorGenerator
from mmengine.structures import InstanceData

import references_golden as golden
import sets


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


def generators():
    """Under the names of ../anchors/anchors.json."""
    ssd = [8, 16, 32, 64, 100, 300], [[2], [2, 3], [2, 3], [2, 3], [2], [2]]
    ssd512 = [8, 16, 32, 64, 128, 256, 512], [[2], [2, 3], [2, 3], [2, 3], [2, 3], [2], [2]]
    makers = {
        "retinanet": AnchorGenerator(strides=[8, 16, 32, 64, 128], ratios=[0.5, 1.0, 2.0], octave_base_scale=4, scales_per_octave=3),
        "rpn": AnchorGenerator(strides=[4, 8, 16, 32, 64], ratios=[0.5, 1.0, 2.0], scales=[8]),
        "centred": AnchorGenerator(strides=[8, 16], ratios=[0.33, 1.0, 3.0], scales=[2, 5], center_offset=0.5, base_sizes=[9, 20]),
        "ssd": SSDAnchorGenerator(strides=ssd[0], ratios=ssd[1], basesize_ratio_range=(0.15, 0.9), input_size=300, scale_major=False),
        "ssd512": SSDAnchorGenerator(strides=ssd512[0], ratios=ssd512[1], basesize_ratio_range=(0.1, 0.9), input_size=512, scale_major=False),
    }
    out = {}
    for width, height in [(320, 256), (417, 333)]:
        for name, maker in makers.items():
            maps = [(-(-height // s), -(-width // s)) for s, _ in maker.strides]
            out[f"mmdetection {name} {width}x{height}"] = sets.float_digest(torch.cat(maker.grid_priors(maps, device="cpu")).numpy())
    return out


def box_coders():
    """Encoded and decoded numbers in float64; inputs are seeds 1, 2 (priors, boxes) and 3 (encoded)."""
    priors, boxes = [torch.from_numpy(sets.ground_truths(seed, 12, 200, 160).astype(np.float64)) for seed in (1, 2)]
    raw = torch.from_numpy(sets.uniform(3, 48, -2, 2).reshape(12, 4))
    delta = coders.DeltaXYWHBBoxCoder(target_stds=(0.1, 0.1, 0.2, 0.2))
    tblr = coders.TBLRBBoxCoder()
    yolo = coders.YOLOBBoxCoder()
    points = (priors[:, :2] + priors[:, 2:]) / 2
    distance = coders.DistancePointBBoxCoder(clip_border=False)
    near = (boxes - (boxes[:, :2] + boxes[:, 2:]).repeat(1, 2) / 2) + points.repeat(1, 2) + 3
    probable = torch.cat([raw[:, :2].sigmoid(), raw[:, 2:]], 1)
    out = {
        "delta": (delta.encode(priors, boxes), delta.decode(priors, raw)),
        "tblr": (tblr.encode(priors, boxes), tblr.decode(priors, raw)),
        "yolo": (yolo.encode(priors, near, 16), yolo.decode(priors, probable, 16)),
        "distance": (distance.encode(points, boxes, 16, 0.1), distance.decode(points, raw)),
    }
    return {name: {"encoded": e.flatten().tolist(), "decoded": d.flatten().tolist()} for name, (e, d) in out.items()}


golden.write("mmdetection", methods_of, sets.versions(torch, mmengine, np) | {"mmdet": "3.3.0"}, anchors=generators(), coders=box_coders())
