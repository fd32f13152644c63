#!/usr/bin/env python3
"""The study's stages 05 and 06 by scikit-learn and LightGBM, on the features that peer_study.py took.

    peer_models.py RUN OUT

Reads RUN (peer_run.py) and OUT/{ta,pta}.npy; fits z-score, PCA, Spearman filter, LASSO and the six models on the training
images that the run's network.train.fit_on names; writes OUT/scores.csv, the mean score of each unit of the internal and
the external test set by every model, in the form of the run's 06-classify/scores.csv.

The same as the run: images, labels, weights (1 / images of the unit), settings. Not the same: scikit-learn's PCA and KNN
take no weights, and the folds of LASSO and Platt scaling are drawn by scikit-learn.
"""
import csv
import os
import sys
import warnings

import numpy as np

import peer_run
import peer_select
import timing


def learners(run):
    """The training images that selection and models learn from, and their weights."""
    heldout = run.train["epochs"] > 0 and run.train["fit_on"] == "heldout"
    rows = np.flatnonzero((run.set == "train") & ((run.part == "heldout") | (not heldout)))
    _, at, count = np.unique(run.unit[rows], return_inverse=True, return_counts=True)
    return rows, 1 / count[at]


def reduce(x, rows, weights, components):
    """z-score, clipped at 10, of the features that are not almost always zero; PCA; z-score. All images transformed."""
    from sklearn.decomposition import PCA
    from sklearn.preprocessing import StandardScaler
    x = x[:, (x[rows] != 0).mean(0) >= 0.01].astype(float)
    z = np.clip(StandardScaler().fit(x[rows], sample_weight=weights).transform(x), -10, 10)
    t = PCA(min(components, len(rows) - 1), svd_solver="full").fit(z[rows]).transform(z)
    return StandardScaler().fit(t[rows], sample_weight=weights).transform(t)


def keep(run, x, rows, weights):
    """The columns of x that Spearman filter and LASSO keep."""
    from sklearn.model_selection import StratifiedGroupKFold
    plan, y = run.plan["selection"], run.label[rows]
    if (plan["lasso"], plan["lambda"]) != ("gaussian", "min"):
        sys.exit("only selection.lasso: gaussian with selection.lambda: min is written here")
    cols = peer_select.uncorrelated(x[rows], plan["spearman"])
    folds = list(StratifiedGroupKFold(plan["folds"], shuffle=True, random_state=run.plan["seed"]).split(rows, y, run.patient[rows]))
    return cols[peer_select.lasso(x[rows][:, cols], y, folds, weights)]


def scores(run, x, rows, weights):
    """Each model's scores of all images, fitted on rows."""
    for name, model in peer_select.models(run.plan["seed"]).items():
        if name == "knn":
            model.fit(x[rows], run.label[rows])
        else:
            model.fit(x[rows], run.label[rows], sample_weight=weights)
        yield name, model.predict_proba(x)[:, 1]


def table(run, features, model, score):
    """Rows of scores.csv."""
    for test in ("internal", "external"):
        rows = np.flatnonzero(run.set == test)
        for value, first in zip(*peer_run.pool(score[rows], run.unit[rows])):
            i = rows[first]
            yield [run.patient[i], run.unit[i], test, features, model, -1, run.label[i], repr(float(value))]


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    timing.restart_with({"OMP_NUM_THREADS": str(timing.THREADS), "OPENBLAS_NUM_THREADS": str(timing.THREADS)})
    warnings.filterwarnings("ignore")
    run, out = peer_run.Run(sys.argv[1]), sys.argv[2]
    rows, weights = learners(run)
    reduced = {}
    for region in peer_run.REGIONS:
        reduced[region] = reduce(np.load(os.path.join(out, region + ".npy")), rows, weights, run.plan["selection"]["components"])
    reduced["fusion"] = np.hstack([reduced["ta"], reduced["pta"]])
    lines = []
    for features, x in reduced.items():
        x = x[:, keep(run, x, rows, weights)]
        print(f"{features}: fitted on {len(rows)} images, {x.shape[1]} features kept", flush=True)
        for model, score in scores(run, x, rows, weights):
            lines += table(run, features, model, score)
    with open(os.path.join(out, "scores.csv"), "w", newline="") as f:
        w = csv.writer(f)
        w.writerow(["patient_id", "unit", "set", "features", "model", "fold", "label", "score"])
        w.writerows(lines)


if __name__ == "__main__":
    main()
