#!/usr/bin/python3
"""Venn-Abers intervals by scikit-learn's isotonic regression, for evaluate. Run from the root."""
import json

import numpy as np
import sklearn
from sklearn.isotonic import IsotonicRegression

rng = np.random.default_rng(5)
sets = []
for name, n, digits in [("continuous", 120, 6), ("ties", 80, 1), ("one class", 20, 3), ("two units", 2, 3)]:
    label = rng.integers(0, 2, n) if name != "one class" else np.ones(n, int)
    score = np.round(rng.normal(label * 0.8, 1), digits)
    asked = np.round(np.concatenate([rng.normal(0.4, 1.5, 25), score[:5], [-9, 9]]), digits)
    bounds = []
    for s in asked:
        row = []
        for y in (0, 1):
            fit = IsotonicRegression().fit(np.append(score, s), np.append(label, y))
            row.append(float(fit.predict([s])[0]))
        bounds.append(row)
    sets.append({"name": name, "score": score.tolist(), "label": label.tolist(), "asked": asked.tolist(), "bounds": bounds})
json.dump({"recipe": "oracles/evaluate_vennabers.py", "versions": {"scikit-learn": sklearn.__version__, "numpy": np.__version__},
           "tolerance": 1e-12, "reason": "means of whole numbers in float64", "sets": sets},
          open("evaluate/testdata/oracle/vennabers.json", "w"))
