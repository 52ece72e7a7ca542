"""PAA's separation of losses by scikit-learn's GaussianMixture: python paa_golden.py."""
import json
import os
import warnings

import numpy as np
import sklearn
from sklearn.mixture import GaussianMixture

import sets
from seeded import uniform

warnings.filterwarnings("ignore")
cases = []
for k in range(60):
    n = 2 + k % 40
    seed = 60_000 + 10 * k
    low, high = [(0.2, 3.0), (0.0, 0.5), (1.0, 1.2)][k % 3]
    losses = np.sort(uniform(seed, n, low, high).astype(np.float32).astype(np.float64))
    gmm = GaussianMixture(2, weights_init=[0.5, 0.5], means_init=[[losses.min()], [losses.max()]], precisions_init=[[1.0], [1.0]], covariance_type="diag", reg_covar=1e-6)
    gmm.fit(losses[:, None])
    component = gmm.predict(losses[:, None])
    scores = gmm.score_samples(losses[:, None])
    fg = np.where(component == 0)[0]
    positives = fg[: scores[fg].argmax() + 1] if len(fg) else fg
    cases.append({"seed": seed, "count": n, "low": low, "high": high, "means": gmm.means_[:, 0].tolist(), "variances": gmm.covariances_[:, 0].tolist(), "positives": positives.tolist()})

with open(os.path.join(os.path.dirname(__file__), "paa.json"), "w") as file:
    json.dump({"versions": sets.versions(sklearn, np), "cases": cases}, file, separators=(",", ":"))
    file.write("\n")
