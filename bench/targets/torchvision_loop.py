"""RetinaNet's targets as torchvision makes them, image by image: AnchorGenerator, box_iou, Matcher, BoxCoder.

    torchvision_loop.py <annotations> <images> <out>

Writes what it made (for comparison) and prints its processor time; reading the annotations is not counted.
"""

import json
import sys
import time

import numpy as np
import torch
import torchvision
from torchvision.models.detection._utils import BoxCoder, Matcher
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.image_list import ImageList
from torchvision.ops import box_iou

torch.set_num_threads(1)
path, images, out = sys.argv[1], int(sys.argv[2]), sys.argv[3]
coco = json.load(open(path))
# torchvision's default: the shorter side 800, the longer at most 1333, padded to multiples of 32
image = coco["images"][0]
scale = min(800 / min(image["width"], image["height"]), 1333 / max(image["width"], image["height"]))
width, height = int(image["width"] * scale), int(image["height"] * scale)
sx, sy = width / image["width"], height / image["height"]
width, height = -(-width // 32) * 32, -(-height // 32) * 32
boxes_of = {image["id"]: [] for image in coco["images"][:images]}
for row in coco["annotations"]:
    if row["image_id"] in boxes_of:
        x, y, w, h = row["bbox"]
        boxes_of[row["image_id"]].append([x * sx, y * sy, (x + w) * sx, (y + h) * sy])

sizes = tuple((s, int(s * 2 ** (1 / 3)), int(s * 2 ** (2 / 3))) for s in (32, 64, 128, 256, 512))
generator = AnchorGenerator(sizes, ((0.5, 1.0, 2.0),) * 5)
matcher = Matcher(0.5, 0.4, allow_low_quality_matches=True)
coder = BoxCoder((1.0, 1.0, 1.0, 1.0))
batch = ImageList(torch.zeros(1, 3, height, width), [(height, width)])
maps = [torch.zeros(1, 1, -(-height // stride), -(-width // stride)) for stride in (8, 16, 32, 64, 128)]

made = []
begin = time.process_time()
with torch.no_grad():
    for boxes in boxes_of.values():
        truths = torch.tensor(boxes, dtype=torch.float32)
        anchors = generator(batch, maps)[0]
        matched = matcher(box_iou(truths, anchors))
        listed = torch.nonzero(matched != Matcher.BELOW_LOW_THRESHOLD).squeeze(1)
        positive = torch.nonzero(matched >= 0).squeeze(1)
        deltas = coder.encode_single(truths[matched[positive]], anchors[positive])
        made.append((listed.int().numpy(), matched[listed].int().numpy(), deltas.numpy()))
    np.savez(out + ".npz", *[part for image in made for part in image])
seconds = time.process_time() - begin

with open(out, "wb") as file:
    for listed, matches, deltas in made:
        np.int32([len(listed), len(deltas)]).tofile(file)
        listed.tofile(file)
        matches.tofile(file)
        deltas.tofile(file)
print(json.dumps({"images": len(made), "processorSeconds": seconds, "torchvision": torchvision.__version__, "torch": torch.__version__}))
