"""Shards that models/digits/shards.ts wrote, as memory maps."""
import glob
import os

import numpy as np
import torch

SCENES, SIDE, MOST = 2000, 160, 8


def shard(folder, number):
    images = np.memmap(f"{folder}/images-{number:04d}.u8", np.uint8, "r", shape=(SCENES, SIDE, SIDE, 3))
    labels = np.fromfile(f"{folder}/labels-{number:04d}.f32", np.float32).reshape(SCENES, MOST, 5)
    return images, labels


def available(folder):
    return sorted(int(os.path.basename(path)[7:11]) for path in glob.glob(f"{folder}/images-*.u8"))


def to_tensor(images):
    """uint8 [N, H, W, 3] to float [N, 3, H, W] of 0-1; the memory stays channels-last."""
    return torch.from_numpy(np.ascontiguousarray(images)).permute(0, 3, 1, 2).float().div_(255)


def batches(folder, size, seed):
    """Batches without end: shards in random order, each read once before any is read again, scenes shuffled."""
    random = np.random.default_rng(seed)
    used = {}
    while True:
        numbers = available(folder)
        least = min(used.get(number, 0) for number in numbers)
        number = int(random.choice([n for n in numbers if used.get(n, 0) == least]))
        used[number] = least + 1
        images, labels = shard(folder, number)
        order = random.permutation(SCENES)
        for start in range(0, SCENES - size + 1, size):
            chosen = np.sort(order[start : start + size])
            yield to_tensor(images[chosen]), torch.from_numpy(labels[chosen])
