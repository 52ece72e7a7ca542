"""ROC, AUC, TAR@FAR, equal error rate and ten-fold verification: writes recognition.json.

ROC and AUC are scikit-learn's; TAR@FAR restates insightface's eval_ijbc.py, the folds its verification.py
(calculate_roc, calculate_val) with scikit-learn's KFold and scipy's interp1d, linear where the original says 'slinear',
which today's scipy refuses for rates that repeat; the equal error rate is scipy's root.

Run: python3 recognition.py    (needs scikit-learn, scipy; versions are written into the file)
"""
import importlib.metadata
import json
import os
import sys

import numpy as np
from scipy.interpolate import interp1d
from scipy.optimize import brentq
from sklearn.metrics import auc, roc_curve
from sklearn.model_selection import KFold

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(here, ".."))
from seeded import integers, uniform  # noqa: E402

FARS = [1e-3, 1e-2, 3e-2, 1e-1]


def pairs(seed, count, coarse):
    """Labels, and scores that tell them apart in part; coarse ones tie."""
    same = integers(seed, count, 2)
    scores = uniform(seed + 1000, count, 0, 1) * 0.75 + same * 0.25
    return same, np.floor(scores * 16) / 16 if coarse else scores


def tar(fpr, tpr):
    fpr, tpr = np.flipud(fpr), np.flipud(tpr)
    return [float(tpr[min(zip(abs(fpr - x), range(len(fpr))))[1]]) for x in FARS]


def accuracy(threshold, dist, same):
    predicted = np.less(dist, threshold)
    return (np.sum(predicted & same) + np.sum(~predicted & ~same)) / dist.size


def val_far(threshold, dist, same):
    predicted = np.less(dist, threshold)
    n_same, n_diff = np.sum(same), np.sum(~same)
    return np.sum(predicted & same) / n_same, np.sum(predicted & ~same) / n_diff


def folds(dist, same, target=1e-3):
    same = same.astype(bool)
    coarse, fine = np.arange(0, 4, 0.01), np.arange(0, 4, 0.001)
    accuracies, thresholds, vals, fars = [], [], [], []
    for train, test in KFold(n_splits=10, shuffle=False).split(np.arange(len(dist))):
        train_accuracy = [accuracy(t, dist[train], same[train]) for t in coarse]
        best = coarse[int(np.argmax(train_accuracy))]
        thresholds.append(float(best))
        accuracies.append(float(accuracy(best, dist[test], same[test])))
        far_train = np.array([val_far(t, dist[train], same[train])[1] for t in fine])
        t = float(interp1d(far_train, fine, kind="linear")(target)) if far_train.max() >= target else 0.0
        v, f = val_far(t, dist[test], same[test])
        vals.append(float(v))
        fars.append(float(f))
    return {"accuracies": accuracies, "thresholds": thresholds, "val": float(np.mean(vals)), "valStd": float(np.std(vals)), "far": float(np.mean(fars)),
            "accuracy": float(np.mean(accuracies)), "std": float(np.std(accuracies))}


sets = []
for seed in range(1, 13):
    coarse = seed % 3 == 0
    same, scores = pairs(seed, 400, coarse)
    fpr, tpr, thr = roc_curve(same, scores)
    full = roc_curve(same, scores, drop_intermediate=False)
    thr = thr.tolist()
    thr[0] = None
    f = interp1d(fpr, tpr)
    sets.append({
        "seed": seed,
        "coarse": coarse,
        "roc": [fpr.tolist(), tpr.tolist(), thr],
        "points": len(full[0]),
        "auc": float(auc(fpr, tpr)),
        "tar": tar(fpr, tpr),
        "eer": float(brentq(lambda x: 1.0 - x - float(f(x)), 0.0, 1.0, xtol=1e-14)),
        # a few hundred pairs, so that the target rate is one impostor's
        "folds": folds(2 - 2 * scores, same, 1e-2),
    })
versions = {p: importlib.metadata.version(p) for p in ("scikit-learn", "scipy", "numpy")}
with open(os.path.join(here, "recognition.json"), "w") as out:
    json.dump({"versions": versions, "fars": FARS, "sets": sets}, out)
print(versions, len(sets), "sets")
