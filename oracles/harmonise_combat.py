"""ComBat (Johnson, Li and Rabinovic, Biostatistics 2007; parametric, no covariates) written out in numpy from the
published formulas -> harmonise/testdata/oracle/combat.json. R's sva is the second oracle: harmonise_combat.R adds it."""
import json
import pathlib

import numpy as np

OUT = pathlib.Path(__file__).parent.parent / "harmonise" / "testdata" / "oracle" / "combat.json"


def data():
    """24 + 15 + 9 images of 3 centres, 60 features; some sparse, one constant, one constant within a centre."""
    rng = np.random.default_rng(7)
    batch = np.repeat([0, 1, 2], [24, 15, 9])
    x = rng.normal(rng.normal(0, 2, 60), rng.gamma(3, 1, 60), (48, 60))
    x += rng.normal([[0.4], [-0.8], [1.5]], 0.7, (3, 60))[batch]
    x *= rng.gamma([[20], [60], [10]], [[1 / 20], [1.6 / 60], [0.6 / 10]], (3, 60))[batch]
    x[:, 50:] = np.maximum(x[:, 50:], 0)
    x[:, 10] = 3
    x[batch == 2, 11] = 0
    return np.round(x, 4).astype(np.float32), batch


def combat(x, batch, convergence):
    """Parameters of every batch, from x: images by features."""
    x = x.astype(np.float64)
    n, batches = len(x), np.unique(batch)
    ok = np.all([x[batch == b].var(axis=0) > 0 for b in batches], axis=0)
    x = x[:, ok]
    means = np.array([x[batch == b].mean(axis=0) for b in batches])
    share = np.array([(batch == b).mean() for b in batches])
    alpha = share @ means
    sigma = np.sqrt(((x - means[batch]) ** 2).sum(axis=0) / n)
    z = (x - alpha) / sigma
    gammas, deltas = [], []
    for b in batches:
        zb = z[batch == b]
        nb, g_hat, d_hat = len(zb), zb.mean(axis=0), zb.var(axis=0, ddof=1)
        g_bar, tau2 = g_hat.mean(), g_hat.var(ddof=1)
        m, s2 = d_hat.mean(), d_hat.var(ddof=1)
        a, c = (2 * s2 + m**2) / s2, (m * s2 + m**3) / s2
        g, d = g_hat, d_hat
        for _ in range(100000):
            g_new = (tau2 * nb * g_hat + d * g_bar) / (tau2 * nb + d)
            d_new = (0.5 * ((zb - g_new) ** 2).sum(axis=0) + c) / (nb / 2 + a - 1)
            change = max(np.abs(g_new - g).max(), np.abs(d_new - d).max())
            g, d = g_new, d_new
            if change < convergence:
                break
        gammas.append(g)
        deltas.append(d)
    return ok, alpha, sigma, np.array(gammas), np.array(deltas)


def main():
    x, batch = data()
    ok, alpha, sigma, gamma, delta = combat(x, batch, 1e-14)
    out = x.astype(np.float64)
    z = (out[:, ok] - alpha) / sigma
    out[:, ok] = (z - gamma[batch]) / np.sqrt(delta[batch]) * sigma + alpha
    golden = {
        "recipe": "oracles/harmonise_combat.py",
        "versions": {"numpy": np.__version__},
        "tolerance": 1e-9,
        "reason": "the same formulas in float64, both iterated to convergence; 2e-6 relative for adjusted values, which are float32; "
                  "sva stops at a relative change of 1e-4 and ignores the change of negative shifts: 3e-3",
        "x": x.astype(float).round(4).tolist(), "batch": batch.tolist(), "adjusted_features": ok.tolist(),
        "alpha": alpha.tolist(), "sigma": sigma.tolist(), "gamma": gamma.tolist(), "delta": delta.tolist(), "adjusted": out.tolist(),
    }
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(golden))


main()
