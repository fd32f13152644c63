"""scikit-learn's StandardScaler and exact PCA, scipy's Spearman -> selection/testdata/oracle/deep.json, spearman.json.

Run with scikit-learn 1.2: its svd_flip makes the largest entry of each left singular vector positive; later
versions go by the components.
"""
import json
import pathlib

import numpy as np
import scipy
import sklearn
from scipy.stats import spearmanr
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

from classify_trees_data import uniform
from selection_data import correlated, deep_features

OUT = pathlib.Path(__file__).parent.parent / "selection" / "testdata" / "oracle"
VERSIONS = {"scikit-learn": sklearn.__version__, "numpy": np.__version__, "scipy": scipy.__version__}
N, P, TRAIN = 150, 900, 120


def fit(x, repeat, components):
    """Scores of all rows of x, fitted on the first TRAIN rows, each repeated."""
    train = np.arange(TRAIN)
    columns = (x[train] != 0).mean(axis=0) >= 0.01
    columns &= x[train].std(axis=0) > 1e-6
    rows = np.repeat(train, repeat)
    x = x[:, columns].astype(np.float64)
    scaler = StandardScaler().fit(x[rows])
    z = np.clip(scaler.transform(x), -10, 10)
    k = min(components, TRAIN - 1, columns.sum())
    pca = PCA(n_components=k, svd_solver="full").fit(z[rows])
    last = StandardScaler().fit(pca.transform(z[rows]))
    score = last.transform(pca.transform(z))
    show = [0, 1, 2, 5, 20, 60, k - 1]
    return {
        "kept": int(columns.sum()), "components": k, "variance": pca.explained_variance_.tolist(),
        "ratio": pca.explained_variance_ratio_.tolist(), "shown": show,
        "score": score[::7][:, show].tolist(), "clipped": int((np.abs(z) == 10).sum()),
        "loadings": pca.components_[show][:, ::97].tolist(),
    }


x = deep_features(N, P)
repeat = 1 + np.floor(3.0 * uniform(206, TRAIN)).astype(int)
cases = [
    {"name": "all components", "max": 256, **fit(x, 1, 256)},
    {"name": "70 components", "max": 70, **fit(x, 1, 70)},
    {"name": "weights as repeated rows", "max": 256, "repeat": repeat.tolist(), **fit(x, repeat, 256)},
]
for c in cases:
    print(c["name"], c["kept"], c["components"], "clipped", c["clipped"], "variance", c["variance"][0], c["variance"][-1])
OUT.mkdir(parents=True, exist_ok=True)
(OUT / "deep.json").write_text(json.dumps({
    "recipe": "oracles/selection_deep.py", "versions": VERSIONS, "tolerance": 2e-6,
    "reason": "loadings are stored as float32, 6e-8 each; variances, which are float64, agree within 1e-11 of the largest",
    "n": N, "p": P, "train": TRAIN, "cases": cases}))

c = correlated(80, 24)
rho = spearmanr(c).correlation
keep = []
for j in range(c.shape[1]):
    if not any(abs(rho[i, j]) > 0.9 for i in keep):
        keep.append(j)
print("spearman keeps", keep)
(OUT / "spearman.json").write_text(json.dumps({
    "recipe": "oracles/selection_deep.py", "versions": VERSIONS, "tolerance": 1e-13,
    "reason": "sums of 80 products of half-integers over 1e4, in another order", "n": 80, "p": 24,
    "rho": np.where(np.isnan(rho), 0, rho).tolist(), "keep": keep}))
