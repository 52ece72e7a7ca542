"""How far COCO AP of a dynamic-int8 model is settled by its arithmetic: python int8_spread.py [MODEL].

AP of MODEL (default yolov10n_int8) on the 32 pictures of BOXOPS_TEST_DATA in native onnxruntime, with its input scaled by
1 + k * 1e-6, k = -16 ... 16, and with a noise of 1e-6 on every pixel (seeds 0 ... 13). The first layer quantises all of these
pixels to the same 256 levels; only its scale differs, about as little as the sigmoids of two builds of the runtime do. Pictures and resizing are OpenCV's, rows are read as they come.
Writes int8-spread.json.
"""
import contextlib
import importlib.metadata
import io
import json
import os
import sys

import cv2
import numpy as np
import onnxruntime
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

DATA = os.environ["BOXOPS_TEST_DATA"]
MODEL = sys.argv[1] if len(sys.argv) > 1 else "yolov10n_int8"
SIZE = 640
with contextlib.redirect_stdout(io.StringIO()):
    truth = COCO(f"{DATA}/data/coco32/instances.json")
categories = sorted(truth.getCatIds())
session = onnxruntime.InferenceSession(f"{DATA}/models/{MODEL}.onnx", providers=["CPUExecutionProvider"])


def letterbox(path):
    image = cv2.imread(path)[:, :, ::-1]
    height, width = image.shape[:2]
    ratio = min(SIZE / height, SIZE / width)
    inner = (round(width * ratio), round(height * ratio))
    left, top = (SIZE - inner[0]) // 2, (SIZE - inner[1]) // 2
    canvas = np.full((SIZE, SIZE, 3), 114, np.uint8)
    canvas[top : top + inner[1], left : left + inner[0]] = cv2.resize(image, inner, interpolation=cv2.INTER_LINEAR)
    tensor = np.ascontiguousarray(canvas.transpose(2, 0, 1)[None]).astype(np.float32) / np.float32(255)
    return tensor, ratio, left, top


pictures = [(info["id"], letterbox(f"{DATA}/data/coco32/images/{info['file_name']}")) for info in truth.dataset["images"]]


def stats(change):
    results = []
    for image, (tensor, ratio, left, top) in pictures:
        rows = session.run(None, {session.get_inputs()[0].name: change(tensor)})[0][0].astype(np.float64)
        for x1, y1, x2, y2, score, label in rows[rows[:, 4] >= 0.001]:
            box = [(x1 - left) / ratio, (y1 - top) / ratio, (x2 - x1) / ratio, (y2 - y1) / ratio]
            results.append({"image_id": image, "category_id": categories[int(label)], "bbox": box, "score": float(score)})
    with contextlib.redirect_stdout(io.StringIO()):
        evaluation = COCOeval(truth, truth.loadRes(results), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return [round(float(value), 4) for value in evaluation.stats[:2]]


def noise(seed):
    generator = np.random.default_rng(seed)
    return stats(lambda tensor: (tensor * (1 + 1e-6 * generator.standard_normal(tensor.shape))).astype(np.float32))


draws = {str(k): stats(lambda tensor: tensor * np.float32(1 + k * 1e-6)) for k in range(-16, 17)}
values = np.array(list(draws.values()))
packages = ["onnxruntime", "opencv-python-headless", "pycocotools", "numpy"]
golden = {
    "versions": {name: importlib.metadata.version(name) for name in packages},
    "model": MODEL,
    "mean": [round(float(value), 4) for value in values.mean(0)],
    "deviation": [round(float(value), 4) for value in values.std(0, ddof=1)],
    "draws": draws,
    "noise": {str(seed): noise(seed) for seed in range(14)},
}
print(golden["mean"], golden["deviation"], values.min(0), values.max(0), golden["noise"])
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "int8-spread.json"), "w") as file:
    json.dump(golden, file)
    file.write("\n")
