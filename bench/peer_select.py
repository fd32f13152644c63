#!/usr/bin/env python3
"""scikit-learn's and LightGBM's time for stages 05 to 07 on given features.

    peer_select.py make FOLDER      writes the inputs that all contenders read
    peer_select.py select FOLDER    selection, six models on three feature sets, statistics: 557 x 512
    peer_select.py pca FOLDER       PCA of 557 x 81,536 to 256 components

What "select" does (ours must do the same work):
- 557 patients, one image each; columns 0-255 are TA, 256-511 PTA; five folds and labels in labels.csv.
- Six fits: on all patients, and five times without one fold. Each fit: TA and PTA each z-scored, PCA (full SVD) to 256
  components, z-scored. Feature sets TA, PTA, fusion (both side by side). In each: of every pair with |Spearman| > 0.9 the
  later column is dropped; LassoCV with 10 stratified folds and 100 lambdas keeps the columns with weights at lambda.min
  (none: the largest lambda that keeps one); then LR, SVM (RBF, Platt by 5-fold CV), KNN, random forest, LightGBM and
  AdaBoost with the defaults of docs/ on the kept columns. The five partial fits score their held-out fold.
- For the 18 out-of-fold scores: AUC with DeLong's interval, Youden's threshold, confusion matrix and its rates, Brier,
  calibration slope and intercept, decision curve at 99 thresholds, Wilcoxon's test.
"""
import os
import sys
import time
import warnings

import numpy as np

import timing

N, REGION, WIDE, FOLDS, LASSO_FOLDS = 557, 256, 81536, 5, 10


def make(folder):
    """Correlated features with decaying variances and a weak signal; the wide table is non-negative like features after a ReLU."""
    os.makedirs(folder, exist_ok=True)
    rng = np.random.default_rng(20250101)
    y = (rng.random(N) < 0.71).astype(int)
    latent = rng.standard_normal((N, 40)) + 0.35 * y[:, None] * (np.arange(40) < 6)
    x = latent @ rng.standard_normal((40, 2 * REGION)) * 0.5 + rng.standard_normal((N, 2 * REGION)) * 2
    np.save(os.path.join(folder, "select.npy"), x.astype("<f4"))
    fold = np.empty(N, int)
    for c in (0, 1):
        rows = rng.permutation(np.flatnonzero(y == c))
        fold[rows] = np.arange(rows.size) % FOLDS
    np.savetxt(os.path.join(folder, "labels.csv"), np.c_[y, fold], "%d", ",", header="label,fold", comments="")
    wide = np.lib.format.open_memmap(os.path.join(folder, "pca.npy"), "w+", "<f4", (N, WIDE))
    deep = rng.standard_normal((N, 300)).astype("f4") * (1 / np.sqrt(1 + np.arange(300))).astype("f4")
    for at in range(0, WIDE, 4096):
        p = min(4096, WIDE - at)
        wide[:, at:at + p] = np.maximum(deep @ rng.standard_normal((300, p)).astype("f4") + 0.3 * rng.standard_normal((N, p)).astype("f4"), 0)
    wide.flush()


def load(folder):
    labels = np.loadtxt(os.path.join(folder, "labels.csv"), int, delimiter=",", skiprows=1)
    return np.load(os.path.join(folder, "select.npy")).astype(float), labels[:, 0], labels[:, 1]


def reduce(x, rows):
    """z-score, PCA, z-score, fitted on rows; all patients transformed."""
    from sklearn.decomposition import PCA
    from sklearn.preprocessing import StandardScaler
    z = StandardScaler().fit(x[rows])
    pca = PCA(min(REGION, rows.size - 1), svd_solver="full").fit(z.transform(x[rows]))
    t = pca.transform(z.transform(x))
    return StandardScaler().fit(t[rows]).transform(t)


def uncorrelated(x, cut=0.9):
    from scipy.stats import spearmanr
    r = np.abs(np.atleast_2d(spearmanr(x).statistic)) > cut
    kept = []
    for j in range(x.shape[1]):
        if not r[j, kept].any():
            kept.append(j)
    return np.array(kept)


def lasso(x, y, folds, weights=None):
    from sklearn.linear_model import LassoCV, lasso_path
    kw = {"n_alphas": 100} if sklearn_version() < (1, 7) else {"alphas": 100}
    m = LassoCV(cv=folds, eps=1e-3, n_jobs=timing.THREADS, max_iter=10000, **kw).fit(x, y.astype(float), sample_weight=weights)
    if (m.coef_ != 0).any():
        return np.flatnonzero(m.coef_)
    _, coefs, _ = lasso_path(x - x.mean(0), y - y.mean(), alphas=np.sort(m.alphas_)[::-1])
    first = np.argmax((coefs != 0).any(0))
    return np.flatnonzero(coefs[:, first])


def sklearn_version():
    import sklearn
    return tuple(map(int, sklearn.__version__.split(".")[:2]))


def models(seed):
    from lightgbm import LGBMClassifier
    from sklearn.ensemble import AdaBoostClassifier, RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.svm import SVC
    samme = {"algorithm": "SAMME"} if sklearn_version() < (1, 6) else {}
    return {
        "lr": LogisticRegression(max_iter=1000),
        "svm": SVC(probability=True, random_state=seed),
        "knn": KNeighborsClassifier(5),
        "rf": RandomForestClassifier(100, random_state=seed, n_jobs=timing.THREADS),
        "lightgbm": LGBMClassifier(n_jobs=timing.THREADS, random_state=seed, verbose=-1),
        "adaboost": AdaBoostClassifier(n_estimators=50, random_state=seed, **samme),
    }


def delong(y, s):
    """AUC and the variance by DeLong from mid-ranks (Sun and Xu 2014)."""
    from scipy.stats import rankdata
    a, b = s[y == 1], s[y == 0]
    r = rankdata(np.r_[a, b])
    v = (r[:a.size] - rankdata(a)) / b.size
    w = 1 - (r[a.size:] - rankdata(b)) / a.size
    return v.mean(), v.var(ddof=1) / a.size + w.var(ddof=1) / b.size


def statistics(y, s):
    from scipy.stats import mannwhitneyu
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import brier_score_loss, confusion_matrix, f1_score, roc_curve
    auc, var = delong(y, s)
    fpr, tpr, cut = roc_curve(y, s)
    t = cut[np.argmax(tpr - fpr)]
    tn, fp, fn, tp = confusion_matrix(y, s >= t).ravel()
    logit = np.log(np.clip(s, 1e-7, 1 - 1e-7) / (1 - np.clip(s, 1e-7, 1 - 1e-7)))
    slope = LogisticRegression(C=1e9).fit(logit[:, None], y)
    curve = []
    for pt in np.arange(1, 100) / 100:
        hit = s >= pt
        curve.append((hit & (y == 1)).mean() - (hit & (y == 0)).mean() * pt / (1 - pt))
    return {"auc": auc, "lo": auc - 1.96 * var ** 0.5, "hi": auc + 1.96 * var ** 0.5, "sens": tp / (tp + fn), "spec": tn / (tn + fp), "f1": f1_score(y, s >= t),
            "brier": brier_score_loss(y, np.clip(s, 0, 1)), "slope": slope.coef_[0, 0], "net": curve, "p": mannwhitneyu(s[y == 1], s[y == 0]).pvalue}


def select(folder):
    warnings.filterwarnings("ignore")
    x, y, fold = load(folder)
    import lightgbm, scipy.stats, sklearn.decomposition, sklearn.ensemble, sklearn.metrics, sklearn.model_selection, sklearn.svm, sklearn.neighbors  # noqa: E401,F401  (imports are not timed)
    from sklearn.model_selection import StratifiedKFold
    start = time.perf_counter()
    scores, kept = {}, {}
    for k in range(-1, FOLDS):
        rows, out = np.flatnonzero(fold != k), np.flatnonzero(fold == k)
        ta, pta = reduce(x[:, :REGION], rows), reduce(x[:, REGION:], rows)
        for name, z in (("ta", ta), ("pta", pta), ("fusion", np.hstack([ta, pta]))):
            cols = uncorrelated(z[rows])
            folds = list(StratifiedKFold(LASSO_FOLDS, shuffle=True, random_state=k + 1).split(z[rows], y[rows]))
            cols = cols[lasso(z[rows][:, cols], y[rows], folds)]
            for model, m in models(k + 1).items():
                m.fit(z[rows][:, cols], y[rows])
                if k < 0:
                    kept[name] = len(cols)
                else:
                    scores.setdefault((name, model), np.empty(N))[out] = m.predict_proba(z[out][:, cols])[:, 1]
    stats = {key: statistics(y, s) for key, s in scores.items()}
    seconds = time.perf_counter() - start
    timing.emit(f"scikit-learn {sklearn.__version__} + lightgbm {lightgbm.__version__}", {"select": seconds}, unit="seconds",
                kept=kept, auc={"/".join(key): round(v["auc"], 4) for key, v in stats.items()})


def pca(folder):
    import sklearn
    from sklearn.decomposition import PCA
    from sklearn.preprocessing import StandardScaler
    x = np.load(os.path.join(folder, "pca.npy"))
    metrics = {}
    for solver in ("full", "randomized"):  # the first counts; the second is the default here, and not exact
        start = time.perf_counter()
        PCA(256, svd_solver=solver, random_state=0).fit(StandardScaler().fit_transform(x.astype(float)))
        metrics["pca" if solver == "full" else "pca." + solver] = time.perf_counter() - start
    timing.emit(f"scikit-learn {sklearn.__version__}", metrics, unit="seconds")


if __name__ == "__main__":
    what = {"make": make, "select": select, "pca": pca}.get(sys.argv[1] if len(sys.argv) > 2 else "")
    if what is None:
        sys.exit(__doc__)
    if what is not make:
        timing.restart_with({"OMP_NUM_THREADS": str(timing.THREADS), "OPENBLAS_NUM_THREADS": str(timing.THREADS)})
    what(sys.argv[2])
