"""LightGBM's first trees, model files and AUC -> classify/testdata/oracle/trees_lightgbm.json.

Run with LightGBM 4.6 or 4.7: bundling and pre-filter off, one thread, histograms by column, else its defaults.
"""
import json
import pathlib

import lightgbm as lgb
import numpy as np
from sklearn.metrics import roc_auc_score

from classify_trees_data import generate, table, twenty

OUT = pathlib.Path(__file__).parent.parent / "classify" / "testdata" / "oracle" / "trees_lightgbm.json"
PARAMS = {"objective": "binary", "enable_bundle": False, "feature_pre_filter": False, "num_threads": 1,
          "force_col_wise": True, "deterministic": True, "verbose": -1}


def train(x, y, w=None, rounds=100, **extra):
    data = {k: v for k, v in extra.items() if k in ("zero_as_missing",)}
    dataset = lgb.Dataset(x, y, weight=w, params={**PARAMS, **data}, free_raw_data=False,
                          categorical_feature=extra.pop("categorical", "auto"))
    return lgb.train({**PARAMS, **extra}, dataset, num_boost_round=rounds)


def text(booster):
    """The model without its parameters."""
    return booster.model_to_string().split("\nparameters:")[0]


def first_trees():
    out = []
    for name in ["breast_cancer", "wide", "imbalanced", "narrow", "tied", "sparse"]:
        (x, y, w), (xt, yt, _) = table(name)
        for weighted in [False, True]:
            m = train(x, y, w if weighted else None)
            one = train(x, y, w if weighted else None, rounds=1)
            out.append({"table": name, "weighted": weighted, "model": text(one), "trees": m.num_trees(),
                        "auc": roc_auc_score(yt, m.predict(xt)), "score": m.predict(xt)[:20].tolist()})
    return out


def with_missing(x):
    """NaN where the first feature's value times 64 has an integer part divisible by 7; zeros stay."""
    x = x.copy()
    x[np.floor(np.abs(x) * 64) % 7 == 1] = np.nan
    return x


def readable():
    """Models with every kind of split; the scores are those of the first 60 test rows."""
    out = []
    (x, y, w), (xt, _, _) = table("tied")
    category = lambda a: np.floor(np.abs(a[:, :1]) * 4 + 0.5)
    shown = xt[:60]
    for kind, a, b, extra in [
        ("plain", x, shown, {}),
        ("nan", with_missing(x), with_missing(shown), {}),
        ("zero", x, shown, {"zero_as_missing": True}),
        ("categorical", np.hstack([category(x), with_missing(x[:, 1:])]), np.hstack([category(shown), with_missing(shown[:, 1:])]),
         {"categorical": [0], "min_data_per_group": 5, "cat_smooth": 1.0}),
    ]:
        m = train(a, y, w, rounds=5, **extra)
        out.append({"kind": kind, "model": m.model_to_string(), "raw": m.predict(b, raw_score=True).tolist(),
                    "score": m.predict(b).tolist()})
    return out


def whole_models():
    out = []
    for args, cut in twenty():
        x, y, _ = generate(*args)
        m = train(x[:cut], y[:cut])
        score = m.predict(x[cut:])
        out.append({"auc": roc_auc_score(y[cut:], score), "score": score[:20].tolist()})
    return out


OUT.parent.mkdir(parents=True, exist_ok=True)
OUT.write_text(json.dumps({
    "recipe": "oracles/classify_trees_lightgbm.py", "versions": {"lightgbm": lgb.__version__, "numpy": np.__version__},
    "tolerance": 1e-12, "reason": "sums of leaf values in the same order; exp differs by an ulp",
    "first": first_trees(), "readable": readable(), "twenty": whole_models()}))
print(OUT, OUT.stat().st_size)
