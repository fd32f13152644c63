"""What audit recomputes, by other programs -> audit/testdata/oracle/figures.json: chi-square with and without Yates and
with the sum of the groups as a further group, G, Fisher (scipy); t tests and analysis of variance from means, SDs and n
(scipy's ttest_ind_from_stats; the F test by its definition with scipy's F distribution); binomial tails; DeLong's
standard error of binormal scores by adaptive quadrature; confusion matrices by trying all; the best of k equal models by
numpy's random numbers.

Run from the root: /usr/bin/python3 oracles/audit_figures.py
"""

import itertools
import json
import pathlib

import numpy as np
import scipy
from scipy import integrate, stats

OUT = pathlib.Path(__file__).parent.parent / "audit" / "testdata" / "oracle" / "figures.json"
COUNTS = {  # [level][group]
    "two by two": [[12, 5], [3, 22]],
    "two by two, large": [[253, 618], [14, 44]],
    "three by two": [[171, 420], [59, 185], [37, 57]],
    "three by three": [[369, 141, 81], [129, 82, 33], [59, 16, 19]],
    "four by three": [[144, 64, 34], [314, 139, 75], [55, 20, 10], [44, 16, 14]],
}
MOMENTS = {  # [(mean, SD, n)] as printed
    "two": [("55.9", "8.0", 267), ("56.6", "8.4", 662)],
    "two, small": [("1.20", "0.31", 9), ("1.52", "0.44", 12)],
    "two, unequal": [("10.3", "1.2", 40), ("11.0", "4.9", 15)],
    "three": [("53.1", "10.3", 557), ("52.5", "10.3", 239), ("53.6", "9.75", 133)],
    "four": [("5.1", "1.3", 20), ("5.8", "1.1", 25), ("5.0", "1.0", 18), ("4.7", "1.9", 31)],
}


def categorical(name, counts):
    m = np.array(counts)
    plain = stats.chi2_contingency(m, correction=False)
    g = stats.chi2_contingency(m, correction=False, lambda_="log-likelihood")
    overall = stats.chi2_contingency(np.column_stack([m, m.sum(axis=1)]), correction=False)
    out = {"name": name, "counts": counts, "plain": plain[1], "g": g[1], "overall": overall[1]}
    if m.shape == (2, 2):
        out["yates"] = stats.chi2_contingency(m, correction=True)[1]
        out["fisher"] = stats.fisher_exact(m)[1]
    return out


def anova(means, sds, ns):
    n, k = sum(ns), len(ns)
    grand = sum(m * c for m, c in zip(means, ns)) / n
    between = sum(c * (m - grand) ** 2 for m, c in zip(means, ns))
    within = sum((c - 1) * s * s for s, c in zip(sds, ns))
    return stats.f.sf(between / (k - 1) / (within / (n - k)), k - 1, n - k)


def overall_anova(means, sds, ns):
    """The Overall column, with its own mean, SD and n, as a further group."""
    n = sum(ns)
    grand = sum(m * c for m, c in zip(means, ns)) / n
    total = sum((c - 1) * s * s + c * (m - grand) ** 2 for m, s, c in zip(means, sds, ns))
    return anova([*means, grand], [*sds, (total / (n - 1)) ** 0.5], [*ns, n])


def continuous(name, cells, rng):
    """The extremes over many values that round to what is printed: inner bounds of audit's range."""
    half = lambda text: 0.5 * 10.0 ** -len(text.partition(".")[2])
    ns = [n for _, _, n in cells]
    tests = {"anova": anova, "overall": overall_anova}
    if len(cells) == 2:
        for equal, test in ((True, "pooled"), (False, "welch")):
            tests[test] = lambda m, s, n, equal=equal: stats.ttest_ind_from_stats(m[0], s[0], n[0], m[1], s[1], n[1], equal_var=equal)[1]
    seen = {t: [] for t in tests}
    corners = list(itertools.product([-1, 0, 1] if len(cells) < 4 else [-1, 1], repeat=2 * len(cells)))
    draws = [np.array(c, float) for c in corners] + [rng.uniform(-1, 1, 2 * len(cells)) for _ in range(3000)]
    for d in draws:
        means = [float(m) + half(m) * d[2 * i] for i, (m, _, _) in enumerate(cells)]
        sds = [float(s) + half(s) * d[2 * i + 1] for i, (_, s, _) in enumerate(cells)]
        for t, f in tests.items():
            seen[t].append(float(f(means, sds, ns)))
    return {"name": name, "cells": [f"{m} ({s})" for m, s, _ in cells], "n": ns,
            "tests": {t: [min(v), max(v)] for t, v in seen.items()}}


def binormal(auc, ratio, p, n):
    shift = stats.norm.ppf(auc) * np.sqrt(1 + ratio**2)
    v10 = integrate.quad(lambda z: stats.norm.cdf(shift + ratio * z) ** 2 * stats.norm.pdf(z), -12, 12, epsabs=1e-13)[0]
    v01 = integrate.quad(lambda z: stats.norm.cdf((shift - z) / ratio) ** 2 * stats.norm.pdf(z), -12, 12, epsabs=1e-13)[0]
    return float(np.sqrt((v10 - auc**2) / p + (v01 - auc**2) / n))


def luck(k, auc, rho, p, n, rng, draws=4000):
    shift = np.sqrt(2) * stats.norm.ppf(auc)
    best = []
    for _ in range(draws):
        x = np.sqrt(rho) * rng.standard_normal((p + n, 1)) + np.sqrt(1 - rho) * rng.standard_normal((p + n, k))
        x[:p] += shift
        r = stats.rankdata(x, axis=0)[:p].sum(axis=0)
        best.append(((r - p * (p + 1) / 2) / (p * n)).max() - auc)
    return float(np.mean(best)), float(np.std(best) / np.sqrt(draws))


def main():
    rng = np.random.default_rng(20261124)
    out = {
        "recipe": "oracles/audit_figures.py",
        "versions": {"scipy": scipy.__version__, "numpy": np.__version__},
        "tolerance": 1e-9,
        "reason": "closed forms and smooth integrals in float64; scipy's tails carry about 12 digits. Ranges over roundings are searched at random and must lie inside audit's, which may be wider by 0.02 at most. Simulations agree within 4 standard errors.",
        "categorical": [categorical(k, v) for k, v in COUNTS.items()],
        "continuous": [continuous(k, v, rng) for k, v in MOMENTS.items()],
        "binomial": [{"k": k, "n": n, "p": p, "tail": float(stats.binom.sf(k - 1, n, p))} for k, n, p in [(186, 239, 158 / 239), (98, 239, 158 / 239), (110, 133, 95 / 133), (0, 5, 0.5), (5, 5, 0.9)]],
        "binormal": [{"auc": a, "ratio": r, "positive": p, "negative": n, "se": binormal(a, r, p, n)} for a, p, n in [(0.811, 158, 81), (0.817, 95, 38), (0.55, 20, 50), (0.97, 30, 30)] for r in (1 / 3, 1, 3)],
        "luck": [],
    }
    for k, auc, rho in [(6, 0.78, 0.0), (6, 0.78, 0.5), (6, 0.78, 0.9), (2, 0.6, 0.8)]:
        mean, se = luck(k, auc, rho, 158, 81, rng)
        out["luck"].append({"k": k, "auc": auc, "rho": rho, "positive": 158, "negative": 81, "mean": mean, "se": se})
    OUT.write_text(json.dumps(out, indent=1) + "\n")


main()
