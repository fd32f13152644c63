"""scikit-learn's LassoCV with given folds -> selection/testdata/oracle/lasso.json.

Run with scikit-learn >= 1.5, whose lambda grid takes sample weights into account.
"""
import json
import pathlib
import warnings

import numpy as np
import sklearn
from sklearn.linear_model import LassoCV, lasso_path

from selection_data import lasso_table

OUT = pathlib.Path(__file__).parent.parent / "selection" / "testdata" / "oracle" / "lasso.json"


def sparse(coef):
    return {"index": np.flatnonzero(coef).tolist(), "value": coef[coef != 0].tolist()}


def case(name, weighted):
    x, y, w, fold = lasso_table(name)
    folds = [(np.flatnonzero(fold != f), np.flatnonzero(fold == f)) for f in range(10)]
    w = w if weighted else None
    m = LassoCV(eps=1e-3, alphas=100, cv=folds, tol=1e-10, max_iter=2_000_000)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        m.fit(x, y, sample_weight=w)
    s = np.sqrt((np.ones(len(y)) if w is None else w) / (1 if w is None else w.mean()))
    xm, ym = np.average(x, axis=0, weights=s * s), np.average(y, weights=s * s)
    at = [5, 20, 45, 70]
    _, coefs, gaps = lasso_path((x - xm) * s[:, None], (y - ym) * s, alphas=m.alphas_[at], tol=1e-13, max_iter=2_000_000)
    print(name, weighted, "alpha", m.alpha_, "kept", int((m.coef_ != 0).sum()), "warnings", len(caught), "gap", gaps.max())
    return {
        "table": name, "weighted": weighted, "alphas": m.alphas_.tolist(),
        "cv_mean": m.mse_path_.mean(axis=1).tolist(), "cv_se": (m.mse_path_.std(axis=1, ddof=1) / np.sqrt(10)).tolist(),
        "alpha": m.alpha_, "coef": sparse(m.coef_), "intercept": float(m.intercept_),
        "at": at, "path": [sparse(c) for c in coefs.T],
    }


cases = [case(name, weighted) for name in ["breast_cancer", "wide", "imbalanced", "blocks"] for weighted in [False, True]]
OUT.write_text(json.dumps({
    "recipe": "oracles/selection_lasso.py", "versions": {"scikit-learn": sklearn.__version__, "numpy": np.__version__},
    "tolerance": 2e-5, "reason": "scikit-learn stops at a duality gap of 1e-10 of the outcome's square, which bounds "
    "coefficients of ill-conditioned columns only to its square root, 1e-5; path coefficients (gap 1e-13) and CV means are tighter",
    "cases": cases}))
