"""scikit-learn's trees, random forests and AdaBoost (SAMME) -> classify/testdata/oracle/trees_sklearn.json;
the breast cancer table (30 features, label 1 = benign) -> classify/testdata/breast_cancer.csv.

Run with scikit-learn 1.2: later versions dropped SAMME's probabilities. Where scikit-learn draws among equal
splits, only what does not depend on its seed is written.
"""
import json
import pathlib

import numpy as np
import sklearn
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import AdaBoostClassifier, RandomForestClassifier
from sklearn.metrics import roc_auc_score
from sklearn.tree import DecisionTreeClassifier

from classify_trees_data import table

OUT = pathlib.Path(__file__).parent.parent / "classify" / "testdata" / "oracle" / "trees_sklearn.json"
SEEDS = range(24)


def nodes(x, y, w, seed):
    """path from the root ("", "L", "LR", ...) -> feature (-1 = leaf), threshold, share of class 1

    With fractional weights scikit-learn now and then splits a pure node, whose impurity its sums round to just over
    its epsilon; such a node is taken for the leaf that it is."""
    t = DecisionTreeClassifier(random_state=seed).fit(x, y, sample_weight=w).tree_
    out, open_nodes = {}, [("", 0)]
    while open_nodes:
        path, k = open_nodes.pop()
        leaf = t.children_left[k] < 0 or t.value[k, 0].min() == 0
        out[path] = (-1 if leaf else int(t.feature[k]), 0.0 if leaf else t.threshold[k], t.value[k, 0, 1] / t.value[k, 0].sum())
        if not leaf:
            open_nodes += [(path + "L", t.children_left[k]), (path + "R", t.children_right[k])]
    return out


def stable(x, y, w):
    """The nodes of the unlimited tree that no seed changes, down to the first that one does."""
    trees = [nodes(x, y, w, s) for s in SEEDS]
    keep = []
    for path in sorted(trees[0], key=len):
        if (path == "" or path[:-1] in {k["path"] for k in keep}) and all(t[path][:2] == trees[0][path][:2] for t in trees):
            feature, threshold, value = trees[0][path]
            keep.append({"path": path, "feature": feature, "threshold": threshold, "value": value})
    return keep, len(trees[0])


def adaboost(x, y, w, test):
    scores = [AdaBoostClassifier(algorithm="SAMME", random_state=s).fit(x, y, sample_weight=w).predict_proba(test)[:, 1]
              for s in SEEDS[:4]]
    spread = max(np.abs(s - scores[0]).max() for s in scores)
    return scores[0], spread


trees, boosts, forests = [], [], []
for name in ["breast_cancer", "wide", "imbalanced", "narrow", "single", "tied", "sparse"]:
    (x, y, w), (xt, yt, _) = table(name)
    for weighted in [False, True]:
        kept, size = stable(x, y, w if weighted else None)
        print("tree", name, weighted, len(kept), "of", size)
        trees.append({"table": name, "weighted": weighted, "nodes": kept})
        score, spread = adaboost(x, y, w if weighted else None, xt)
        print("adaboost", name, weighted, "spread over seeds", spread)
        if spread < 1e-12:
            boosts.append({"table": name, "weighted": weighted, "score": score.tolist()})
    if name in ["breast_cancer", "wide", "imbalanced", "sparse"]:
        auc = [roc_auc_score(yt, RandomForestClassifier(random_state=s, n_jobs=2).fit(x, y).predict_proba(xt)[:, 1])
               for s in range(30)]
        print("forest", name, np.mean(auc), np.std(auc, ddof=1))
        forests.append({"table": name, "mean": np.mean(auc), "sd": np.std(auc, ddof=1), "min": min(auc), "max": max(auc)})

x, y = load_breast_cancer(return_X_y=True)
with open(OUT.parent.parent / "breast_cancer.csv", "w") as f:
    f.writelines(",".join(repr(float(v)) for v in row) + f",{label}\n" for row, label in zip(x, y))
OUT.parent.mkdir(parents=True, exist_ok=True)
OUT.write_text(json.dumps({
    "recipe": "oracles/classify_trees_sklearn.py", "versions": {"scikit-learn": sklearn.__version__, "numpy": np.__version__},
    "tolerance": 1e-9, "reason": "sums of weights round differently; splits and thresholds are equal",
    "trees": trees, "adaboost": boosts, "forests": forests}))
