"""Which small data sets are separated, so that a logistic model has no maximum likelihood estimate (Albert and Anderson 1984),
by linear programming (Konis 2007): the largest total gain along a direction that harms nobody. Run from the root."""
import json, numpy, scipy
from scipy.optimize import linprog

rng = numpy.random.default_rng(12)
cases = []
while len(cases) < 240:
    n, p = int(rng.integers(6, 25)), int(rng.integers(1, 4))
    x = rng.integers(0, int(rng.integers(2, 6)), (n, p))
    y = (rng.random(n) < 1 / (1 + numpy.exp(-2 * (x - x.mean()).sum(1) - rng.normal(0, 2, n)))).astype(int)
    design = numpy.c_[numpy.ones(n), x]
    if y.min() == y.max() or numpy.linalg.matrix_rank(design) < p + 1 or n <= p + 2:
        continue
    gain = (2 * y - 1)[:, None] * design
    lp = linprog(-gain.sum(0), A_ub=-gain, b_ub=numpy.zeros(n), bounds=[(-1, 1)] * (p + 1), method="highs")
    cases.append({"x": x.T.tolist(), "y": y.tolist(), "separated": bool(-lp.fun > 1e-7)})
print(sum(c["separated"] for c in cases), "of", len(cases), "separated")
json.dump({"recipe": "oracles/clinical_separation.py", "versions": {"numpy": numpy.__version__, "scipy": scipy.__version__}, "tolerance": 0,
           "reason": "separated or not: small whole numbers leave nothing to rounding", "cases": cases},
          open("clinical/testdata/oracle/separation.json", "w"), separators=(",", ":"))
