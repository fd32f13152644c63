"""Average precision and likelihood ratios for evaluate, on the scores of evaluate_scores.R. Run from the root with Debian's Python."""
import json
import numpy, sklearn, statsmodels
from sklearn.metrics import average_precision_score
from statsmodels.stats.proportion import confint_proportions_2indep

sets = json.load(open("evaluate/testdata/oracle/scores.json"))["sets"]


def ratio(a, m, b, n):
    if a == 0 or b == 0:  # no interval on the log scale
        return [a / m / (b / n) if b else None, None, None]
    lo, hi = confint_proportions_2indep(a, m, b, n, method="log", compare="ratio", correction=False)
    return [a / m / (b / n), float(lo), float(hi)]


out = []
for s in sets:
    tp, fp, tn, fn = s["tp"], s["fp"], s["tn"], s["fn"]
    out.append({"name": s["name"], "pr_auc": float(average_precision_score(s["label"], s["p"])),
                "lr_positive": ratio(tp, tp + fn, fp, fp + tn), "lr_negative": ratio(fn, tp + fn, tn, fp + tn)})
json.dump({"recipe": "oracles/evaluate_measures.py",
           "versions": {"scikit-learn": sklearn.__version__, "statsmodels": statsmodels.__version__, "numpy": numpy.__version__},
           "tolerance": 1e-10, "reason": "same closed forms in float64", "sets": out},
          open("evaluate/testdata/oracle/precision.json", "w"), indent=1)
