"""200 random cases of every classification and recognition loss and every recipe, in torch float64: writes many.json.

A case is its value and, an argument, the product of its gradient with a vector of random signs: an entry that is off
shows in it. Losses and inputs are those of the
scripts of their names.

Run: OMP_NUM_THREADS=1 /usr/bin/python3 many.py
"""
import base64
import json
import os
import sys

import numpy as np
import torch
import torchvision

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, here)
sys.path.insert(0, os.path.join(here, ".."))
import classification  # noqa: E402
import recipes  # noqa: E402
import recognition  # noqa: E402
from seeded import integers  # noqa: E402

CASES = 200


def product(seed, gradient):
    return float(np.dot(integers(seed + 900, len(gradient), 2) * 2 - 1, gradient))


def numbers(seed, outcome):
    gradients = outcome.get("gradients") or [outcome["gradient"]]
    return [outcome["value"], *(product(seed + i, g) for i, g in enumerate(gradients))]


def collect(run, seed_of):
    columns = {}
    for k in range(CASES):
        seed = seed_of(k)
        for name, outcome in run(k, seed).items():
            columns.setdefault(name, []).extend(numbers(seed, outcome))
    return {name: base64.b64encode(np.array(values).tobytes()).decode() for name, values in columns.items()}


spans = (2, 4, 8, 16)
result = {
    "torch": torch.__version__,
    "torchvision": torchvision.__version__,
    "cases": CASES,
    "spans": spans,
    "classification": collect(lambda k, s: classification.cases(s, spans[k % 4]), lambda k: 10_000 + 1000 * k),
    "recognition": collect(lambda k, s: recognition.case(s, 1.0 + k % 3)["losses"], lambda k: 500_000 + 1000 * k),
    "recipes": collect(lambda k, s: recipes.case(s)["losses"], lambda k: 700_000 + 1000 * k),
}
with open(os.path.join(here, "many.json"), "w") as f:
    json.dump(result, f)
