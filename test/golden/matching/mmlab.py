"""mmdetection's and mmyolo's assigners without compiled mmcv: what else the packages import is replaced by stubs.

pip install --no-deps mmdet==3.3.0 mmyolo==0.6.0 mmengine==0.10.5 addict yapf termcolor rich packaging. topk, whose choice
among equal values is unspecified, is made stable: the lower index first.
"""
import os
import sys
import types
from unittest.mock import MagicMock

import torch

for name in ["cv2", "matplotlib", "matplotlib.pyplot", "matplotlib.patches", "matplotlib.collections", "pycocotools", "shapely", "shapely.geometry", "terminaltables"]:
    try:
        __import__(name)
    except ImportError:
        sys.modules[name] = MagicMock()
root = next(path for path in sys.path if os.path.isdir(os.path.join(path, "mmdet")))
sys.modules["mmcv"] = types.ModuleType("mmcv")
for name in ["mmcv.ops", "mmcv.cnn", "mmcv.transforms", "mmdet.models.utils", "mmdet.structures.mask", "mmdet.structures.mask.structures", "mmyolo.models.losses", "mmyolo.registry"]:
    sys.modules[name] = MagicMock()
PACKAGES = ["mmdet", "mmdet.models", "mmdet.models.task_modules", "mmdet.structures", "mmdet.utils"]
PACKAGES += ["mmyolo", "mmyolo.models", "mmyolo.models.task_modules", "mmyolo.models.task_modules.assigners"]
for name in PACKAGES:
    package = types.ModuleType(name)
    package.__path__ = [os.path.join(root, *name.split("."))]
    sys.modules[name] = package
sys.modules["mmdet.utils"].ConfigType = sys.modules["mmdet.utils"].OptConfigType = dict


def stable_topk(values, k, dim=-1, largest=True, sorted=True, axis=None):
    dim = dim if axis is None else axis
    ordered, index = torch.sort(values, dim=dim, descending=largest, stable=True)
    return ordered.narrow(dim, 0, k), index.narrow(dim, 0, k)


torch.topk = torch.Tensor.topk = stable_topk
torch.set_num_threads(1)
