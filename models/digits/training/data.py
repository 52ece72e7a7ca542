"""Scenes that models/digits/shards.ts wrote, as memory maps, and the training targets that `boxops targets` made."""
import glob
import os

import numpy as np
import torch
from safetensors.numpy import load_file

SCENES, SIDE, MOST = 2000, 160, 8


def shard(folder, number):
    images = np.memmap(f"{folder}/images-{number:04d}.u8", np.uint8, "r", shape=(SCENES, SIDE, SIDE, 3))
    labels = np.fromfile(f"{folder}/labels-{number:04d}.f32", np.float32).reshape(SCENES, MOST, 5)
    return images, labels


def available(folder):
    return sorted(int(os.path.basename(path)[7:11]) for path in glob.glob(f"{folder}/images-*.u8"))


def to_tensor(images):
    """uint8 [N, H, W, 3] to float [N, 3, H, W] of 0-1; the memory stays channels-last."""
    return torch.from_numpy(np.array(images)).permute(0, 3, 1, 2).float().div_(255)


class Targets:
    """Rows of all shards, by image id: which cell learns which digit, and the digit's box."""

    def __init__(self, folder):
        files = sorted(glob.glob(f"{folder}/shard-*.safetensors"))
        if not files:
            raise FileNotFoundError(f"no .safetensors shards in {folder}")
        parts = [load_file(path) for path in files]
        ids = np.concatenate([part["image_ids"] for part in parts])
        counts = np.concatenate([np.diff(part["row_offsets"]) for part in parts])
        starts = np.concatenate([[0], np.cumsum(counts)])[:-1]
        self.first = np.full(ids.max() + 1, -1, np.int64)
        self.count = np.zeros(ids.max() + 1, np.int64)
        self.first[ids], self.count[ids] = starts, counts
        columns = ("anchors", "labels", "gt_indices", "box_targets")
        self.rows = {name: np.concatenate([part[name] for part in parts]) for name in columns}

    def batch(self, ids):
        """Of the images `ids`: index in the batch, cell, digit and corners [P, 4] of every positive cell."""
        if (self.first[ids] < 0).any():
            raise KeyError("an image has no targets: were they made from the same shards?")
        rows = np.concatenate([np.arange(self.first[i], self.first[i] + self.count[i]) for i in ids])
        images = np.repeat(np.arange(len(ids)), self.count[ids])
        positive = self.rows["gt_indices"][rows] >= 0
        rows, images = rows[positive], images[positive]
        anchors, labels = (torch.from_numpy(self.rows[name][rows]).long() for name in ("anchors", "labels"))
        return torch.from_numpy(images), anchors, labels, torch.from_numpy(self.rows["box_targets"][rows])


def batches(folder, targets, size, seed):
    """Batches without end: shards in random order, each read once before any is read again, scenes shuffled."""
    random = np.random.default_rng(seed)
    used = {}
    while True:
        numbers = available(folder)
        least = min(used.get(number, 0) for number in numbers)
        number = int(random.choice([n for n in numbers if used.get(n, 0) == least]))
        used[number] = least + 1
        images, _ = shard(folder, number)
        order = random.permutation(SCENES)
        for start in range(0, SCENES - size + 1, size):
            chosen = np.sort(order[start : start + size])
            yield to_tensor(images[chosen]), targets.batch(number * SCENES + chosen)
