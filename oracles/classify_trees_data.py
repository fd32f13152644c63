"""Tables for the tree oracles, from a formula that classify/trees_data_test.go repeats to the last bit."""
import numpy as np

# name, seed, rows, training rows, features, informative features, noise, cut, grid (0 = none), share of zeros
TABLES = {
    "wide": (11, 240, 150, 400, 6, 0.5, 0.0, 0, 0.0),
    "imbalanced": (12, 900, 600, 20, 5, 0.6, 1.1, 0, 0.0),
    "narrow": (13, 900, 600, 4, 3, 0.4, 0.0, 0, 0.0),
    "single": (14, 400, 300, 1, 1, 1.0, 0.0, 25, 0.1),
    "tied": (15, 700, 500, 12, 4, 0.5, 0.2, 4, 0.3),
    "sparse": (16, 700, 500, 30, 5, 0.3, 0.1, 0, 0.85),
}
MASK = (1 << 64) - 1


def uniform(seed, count):
    """count numbers in [0, 1): splitmix64 of the counter, 53 bits."""
    with np.errstate(over="ignore"):
        z = np.uint64(seed * 1_000_003) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return (z >> np.uint64(11)).astype(np.float64) / 9007199254740992.0


def generate(seed, n, p, informative, noise, cut, grid, zeros):
    """Table (n, p), labels and weights 1, 1/2 or 1/3."""
    u = uniform(seed, n * (p + 1) * 5).reshape(n, p + 1, 5)
    x = u[:, :, 0] + u[:, :, 1] + u[:, :, 2] + u[:, :, 3] - 2.0
    s = np.zeros(n)
    for j in range(informative):
        s = s + x[:, j] / (j + 1.0)
    s = s + noise * x[:, p]
    y = (s > cut).astype(int)
    if grid:
        x = np.floor(x * grid) / grid
    x[u[:, :, 4] < zeros] = 0.0
    w = 1.0 / (1.0 + np.floor(3.0 * u[:, p, 4]))
    return np.ascontiguousarray(x[:, :p]), y, w


def table(name):
    """x, y, w of the training rows, then of the test rows."""
    if name == "breast_cancer":
        return breast_cancer()
    seed, n, train, *rest = TABLES[name]
    x, y, w = generate(seed, n, *rest)
    return (x[:train], y[:train], w[:train]), (x[train:], y[train:], w[train:])


def breast_cancer():
    """Breast cancer Wisconsin (diagnostic), 569 x 30; every third row is a test row."""
    from sklearn.datasets import load_breast_cancer
    x, y = load_breast_cancer(return_X_y=True)
    w = 1.0 / (1.0 + np.floor(3.0 * uniform(99, len(y))))
    test = np.arange(len(y)) % 3 == 2
    return (x[~test], y[~test], w[~test]), (x[test], y[test], w[test])


def twenty():
    """The 20 tables of the AUC comparison: the arguments of generate, and the number of training rows."""
    out = []
    for k in range(20):
        n = 300 + 45 * k
        p = [10, 60, 256, 30][k % 4]
        args = (100 + k, n, p, 4 + k % 5, 0.4 + 0.1 * (k % 7), [0.0, 0.3, -0.4][k % 3], [0, 0, 10][k % 3], [0.0, 0.2][k % 2])
        out.append((args, n * 2 // 3))
    return out
