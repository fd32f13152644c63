"""Sample sizes by Riley's criteria: from pmsampsize and pmvalsampsize (the authors' own programs, PyPI, Python 3.12 or newer)
and from a plain recomputation by scipy's adaptive quadrature. Run from the root; writes samplesize/testdata/oracle/riley.json.
Needs pmsampsize, pmvalsampsize, scipy, numpy."""
import io, json, math, platform
from contextlib import redirect_stdout
from importlib.metadata import version
from pathlib import Path

import numpy as np
from pmsampsize.pmsampsize import pmsampsize
from pmvalsampsize.pmvalsampsize import pmvalsampsize
from scipy.integrate import quad
from scipy.stats import norm


def quiet(f, **k):
    with redirect_stdout(io.StringIO()):
        return f(**k)


def rows(r):
    return [int(x[1]) for x in r["results_table"] if isinstance(x, list)]


# 1. Development. The first is the worked example of Riley et al, Stat Med 2019;38:1276 (Chagas disease); the first two are
# also among the tests of the R package.
development = []
for p, phi, r2, s in [(24, .174, .288, .9), (36, .174, .288, .9), (24, .25, .288, .9), (1, .5, .1, .9), (256, .35, .05, .9), (512, .4, .25, .95), (10, .02, .01, .9)]:
    r = quiet(pmsampsize, type="b", csrsquared=r2, parameters=p, prevalence=phi, shrinkage=s)
    development.append(dict(parameters=p, prevalence=phi, cox_snell_r2=r2, shrinkage=s, n=rows(r), max_cox_snell_r2=r["max_r2a"], events=r["events"],
                            nagelkerke=r["nag_r2"]))


# 2. R2 of an AUC: by quadrature, and as pmsampsize simulates it with a million patients.
def binormal(phi, c):
    v = 2 * norm.ppf(c) ** 2
    m = math.log(phi / (1 - phi))
    return m - v / 2, m + v / 2, math.sqrt(v)


def mean(mu, sd, f):
    return quad(lambda z: f(mu + sd * z) * norm.pdf(z), -12, 12, epsabs=1e-13, epsrel=1e-13, limit=500)[0]


def r2_of(c, phi):
    m0, m1, sd = binormal(phi, c)
    ll = phi * mean(m1, sd, lambda x: -np.logaddexp(0, -x)) + (1 - phi) * mean(m0, sd, lambda x: -np.logaddexp(0, x))
    null = phi * math.log(phi) + (1 - phi) * math.log(1 - phi)
    return 1 - math.exp(2 * (null - ll))


r2 = []
for c, phi in [(.6, .3), (.7, .5), (.8, .174), (.81, .77), (.9, .05), (.99, .4)]:
    sim = quiet(pmsampsize, type="b", cstatistic=c, parameters=10, prevalence=phi)
    r2.append(dict(auc=c, prevalence=phi, quadrature=r2_of(c, phi), simulated=float(sim["rsquared"])))


# 3. Validation. The first is the worked example of Riley et al, Stat Med 2021;40:4230 (mechanical heart valves).
def information(parts):
    w = lambda x: 1 / (2 + math.exp(x) + math.exp(-x))
    return [sum(q * mean(m, s, lambda x: w(x) * x ** k) for q, m, s in parts) for k in range(3)]


def slope_n(i, width):
    return math.ceil(i[0] / ((width / 3.92) ** 2 * (i[0] * i[2] - i[1] ** 2)))


def auc_n(c, phi, width):
    n = np.arange(2, 2_000_000, dtype=float)
    v = c * (1 - c) * (1 + (n / 2 - 1) * (1 - c) / (2 - c) + (n / 2 - 1) * c / (1 + c)) / (n * n * phi * (1 - phi))
    return int(n[np.argmax(2 * 1.96 * np.sqrt(v) <= width)])


def oe_n(phi, width, oe):
    s = math.asinh(width / (2 * oe)) / 1.96
    return math.ceil((1 - phi) / (phi * s * s))


def nb_n(phi, se, sp, t, width):
    w, s = (1 - phi) / phi * t / (1 - t), width / 3.92
    return math.ceil((se * (1 - se) / phi + w * w * sp * (1 - sp) / (1 - phi) + w * w * (1 - sp) ** 2 / (phi * (1 - phi))) / s ** 2)


normal = []  # log-odds normal in all patients, as the published example has it
for phi, c, mu, sd, width in [(.018, .8, -5, 2.5, 1), (.3, .75, -1, 1.2, .2)]:
    r = quiet(pmvalsampsize, type="b", prevalence=phi, cstatistic=c, lpnormal=(mu, sd), oeciwidth=width)
    i = information([(1, mu, sd)])
    normal.append(dict(prevalence=phi, auc=c, mean=mu, sd=sd, oe_width=width, information=i, program=rows(r),
                       n=[oe_n(phi, width, 1), slope_n(i, .2), auc_n(c, phi, .1)]))

binormals = []  # log-odds normal in both groups, which the AUC alone fixes
for phi, c, t, oe in [(.35, .8, .3, 1), (.5, .7, .5, 1.1), (.1, .9, .2, .8), (.018, .8, .05, 1)]:
    m0, m1, sd = binormal(phi, c)
    cut = math.log(t / (1 - t))
    se, sp = float(norm.sf((cut - m1) / sd)), float(norm.cdf((cut - m0) / sd))
    i = information([(phi, m1, sd), (1 - phi, m0, sd)])
    r = quiet(pmvalsampsize, type="b", prevalence=phi, cstatistic=c, lpcstat=m0, oe=oe, oeciwidth=.2, threshold=t, tolerance=.01)  # it estimates sensitivity and specificity from the simulated scores
    binormals.append(dict(prevalence=phi, auc=c, threshold=t, oe=oe, sensitivity=se, specificity=sp, information=i, program=rows(r)[:4],
                          n=[oe_n(phi, .2, oe), slope_n(i, .2), auc_n(c, phi, .1), nb_n(phi, se, sp, t, .2)]))

out = dict(
    recipe="oracles/samplesize_riley.py",
    versions=dict(python=platform.python_version(), **{m: version(m) for m in ["pmsampsize", "pmvalsampsize", "scipy", "numpy"]}),
    tolerance=1e-9,
    reason="closed forms in float64 and quadrature to 1e-12; numbers of patients are equal. Against the programs: pmsampsize simulates a million "
           "patients for an AUC (0.003 absolute in R2); pmvalsampsize simulates the scores, steps the standard error by 0.0001 and rounds it to "
           "three digits (2 % in n)",
    development=development, r2=r2, normal=normal, binormal=binormals)
path = Path("samplesize/testdata/oracle/riley.json")
path.parent.mkdir(parents=True, exist_ok=True)
path.write_text(json.dumps(out, indent=1) + "\n")
