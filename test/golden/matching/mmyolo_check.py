"""The restated mmyolo rules against mmyolo's own assigners: python mmyolo_check.py. Three levels: with fewer than topk
priors on a level BatchATSSAssigner fails."""
import sys
import types

import numpy as np
import torch

import mmlab  # noqa: F401
from mmdet.models.task_modules.assigners import BboxOverlaps2D

sys.modules["mmyolo.registry"].TASK_UTILS = types.SimpleNamespace(register_module=lambda *_, **__: lambda cls: cls, build=lambda _: BboxOverlaps2D())

from mmyolo.models.task_modules.assigners.batch_atss_assigner import BatchATSSAssigner  # noqa: E402
from mmyolo.models.task_modules.assigners.batch_task_aligned_assigner import BatchTaskAlignedAssigner  # noqa: E402

import references as ref  # noqa: E402
import references_golden as golden  # noqa: E402
import sets  # noqa: E402


def index_of(result, gts):
    same = (result["assigned_bboxes"][0][:, None] == gts[None]).all(-1).float().argmax(1)
    return torch.where(result["fg_mask_pre_prior"][0].bool(), same, torch.full_like(same, -1))


for i, (w, h, n) in enumerate(golden.SCENES):
    seed = 5000 + 1000 * i
    gts = torch.from_numpy(sets.ground_truths(seed, n, w, h))
    labels = torch.tensor(golden.labels_of(seed, n))
    points, strides, levels = golden.grid(w, h, [8, 16, 32], 0.5)
    counts = [int((levels == k).sum()) for k in range(3)]
    priors = torch.from_numpy(np.concatenate([points, np.stack([strides, strides], 1)], 1).astype(np.float32))
    given = labels[None, :, None].float(), gts[None], torch.ones(1, n, 1)
    atss = BatchATSSAssigner(golden.CLASSES, topk=9)(torch.zeros(1, len(points), 4), priors, counts, *given)
    assert torch.equal(index_of(atss, gts), ref.atss(golden.squares(points, 5.0 * strides), counts, gts, strict=True, margin=1e-9))
    boxes, scores = [torch.from_numpy(a) for a in sets.predictions(seed + 100, points, gts.numpy(), golden.CLASSES)]
    tal = BatchTaskAlignedAssigner(golden.CLASSES, topk=10, alpha=0.5, beta=6)(boxes[None], scores[None], priors, *given)
    index, weights = ref.tal(priors[:, :2], boxes, scores, gts, labels, "mmyolo")
    assert torch.equal(index_of(tal, gts), index)
    assert torch.allclose(tal["assigned_scores"][0].amax(1), weights, atol=1e-6)
print("mmyolo 0.6.0: the same")
