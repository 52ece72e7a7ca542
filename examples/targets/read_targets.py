"""Reads the shards of `boxops targets`: numpy and safetensors, nothing of boxops.

    npx boxops targets instances.json --config examples/targets/retinanet.yaml --out targets
    python examples/targets/read_targets.py targets
"""

import json
import sys
from pathlib import Path

import numpy as np
from safetensors import safe_open


def samples(folder):
    """Yields one dict an image: its name, ground truths and the rows of its positive and ignored priors."""
    folder = Path(folder)
    for shard in json.loads((folder / "index.json").read_text())["shards"]:
        name = next(file["name"] for file in shard["files"] if file["name"].endswith(".safetensors"))
        with safe_open(folder / name, framework="np") as file:
            names = json.loads(file.metadata()["file_names"])
            tensors = {key: file.get_tensor(key) for key in file.keys()}
        for i, file_name in enumerate(names):
            rows = slice(*tensors["row_offsets"][i : i + 2])
            objects = slice(*tensors["gt_offsets"][i : i + 2])
            yield {
                "file_name": file_name,
                "input_size": tensors["input_sizes"][i],  # width, height
                "transform": tensors["transforms"][i],  # x' = x * t[0] + t[2], y' = y * t[1] + t[3]
                **{key: tensors[key][objects] for key in ("gt_boxes", "gt_labels", "gt_ids")},
                **{
                    key: tensors[key][rows]
                    for key in ("anchors", "labels", "gt_indices", "overlaps", "weights", "box_targets")
                },
            }


def dense_targets(sample, priors):
    """Labels (-1 background, -2 ignored) and box targets of every prior, as a loss wants them."""
    labels = np.full(len(priors), -1, np.int64)
    boxes = np.zeros((len(priors), 4), np.float32)
    labels[sample["anchors"]] = sample["labels"]
    boxes[sample["anchors"]] = sample["box_targets"]
    return labels, boxes


def decode_deltas(deltas, priors):
    """Boxes of the `delta` coder, to show that targets lead back to the ground truths."""
    size = priors[:, 2:] - priors[:, :2]
    centre = (priors[:, 2:] + priors[:, :2]) / 2 + deltas[:, :2] * size
    half = np.exp(deltas[:, 2:]) * size / 2
    return np.concatenate([centre - half, centre + half], axis=1)


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    manifest = json.loads((folder / "manifest.json").read_text())
    priors = {}
    for entry in manifest["priors"]:
        with safe_open(folder / entry["file"], framework="np") as file:
            priors[tuple(entry["input"])] = file.get_tensor("boxes")
    images = positives = ignored = 0
    worst = 0.0
    for sample in samples(folder):
        own = priors[tuple(sample["input_size"])]
        labels, boxes = dense_targets(sample, own)
        matched = labels >= 0
        images += 1
        positives += int(matched.sum())
        ignored += int((labels == -2).sum())
        truths = sample["gt_boxes"][sample["gt_indices"][sample["gt_indices"] >= 0]]
        if len(truths) > 0:
            worst = max(worst, float(np.abs(decode_deltas(boxes[matched], own[matched]) - truths).max()))
    print(json.dumps({"images": images, "positives": positives, "ignored": ignored, "worst_pixels": worst}))
