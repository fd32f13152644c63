"""scikit-learn's logistic regression, SVC with Platt scaling on given folds, and nearest neighbours
-> classify/testdata/oracle/linear.json. Run with scikit-learn >= 1.5: its sigmoid calibration counts classes by weight.
"""
import json
import pathlib

import numpy as np
import sklearn
from sklearn.calibration import CalibratedClassifierCV
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC

from classify_trees_data import table

OUT = pathlib.Path(__file__).parent.parent / "classify" / "testdata" / "oracle" / "linear.json"


def case(name, weighted):
    (x, y, w), (test, _, _) = table(name)
    n, p = x.shape
    w = w if weighted else np.ones(n)
    lr = LogisticRegression(solver="newton-cholesky", tol=1e-13, max_iter=1000).fit(x, y, sample_weight=w)
    cells = np.repeat(w, p)
    mean = np.average(x.ravel(), weights=cells)
    gamma = 1 / (p * np.average((x.ravel() - mean) ** 2, weights=cells))
    if not weighted:
        assert abs(gamma * p * x.var() - 1) < 1e-12
    folds = [(np.flatnonzero(np.arange(n) % 5 != f), np.flatnonzero(np.arange(n) % 5 == f)) for f in range(5)]
    svc = SVC(gamma=gamma).fit(x, y, sample_weight=w)
    # ensemble=False: one sigmoid on the held-out decision values, one machine on all rows, as libsvm does
    platt = CalibratedClassifierCV(SVC(gamma=gamma), method="sigmoid", cv=folds, ensemble=False).fit(x, y, sample_weight=w)
    sigmoid = platt.calibrated_classifiers_[0].calibrators[0]
    near = KNeighborsClassifier(algorithm="brute").fit(x, y).kneighbors(test, return_distance=False)
    print(name, weighted, "lr iterations", lr.n_iter_, "vectors", svc.n_support_, "A, B", sigmoid.a_, sigmoid.b_)
    return {
        "table": name, "weighted": weighted,
        "lr": {"coef": lr.coef_[0].tolist(), "intercept": lr.intercept_[0], "score": lr.predict_proba(test)[:, 1].tolist()},
        "svm": {"gamma": gamma, "vectors": int(svc.n_support_.sum()), "decision": svc.decision_function(test).tolist(),
                "a": sigmoid.a_, "b": sigmoid.b_, "score": platt.predict_proba(test)[:, 1].tolist()},
        "knn": np.average(y[near], weights=w[near], axis=1).tolist(),
    }


cases = [case(name, weighted) for name in ["breast_cancer", "wide", "imbalanced"] for weighted in [False, True]]
OUT.write_text(json.dumps({
    "recipe": "oracles/classify_linear_sklearn.py", "versions": {"scikit-learn": sklearn.__version__, "numpy": np.__version__},
    "tolerance": 1e-9, "reason": "SVM decision values: the same steps as libsvm's, kernel sums in another order. Platt's A and B: "
    "1e-5, where scikit-learn's L-BFGS stops. Logistic regression: 1e-9, both solve to rounding. Neighbours: 1e-12",
    "cases": cases}))
