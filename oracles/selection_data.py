"""Tables for the selection oracles, from formulas that selection/tables_test.go repeats to the last bit."""
import numpy as np

from classify_trees_data import uniform


def deep_features(n, p):
    """A float32 table like a last feature map: rectified sums of 6 factors and noise; every 50th column is
    almost always zero, constant, or has one outlier that the clip must catch."""
    a = uniform(201, n * 6).reshape(n, 6) - 0.5
    b = uniform(202, 6 * p).reshape(6, p) - 0.5
    e = uniform(203, n * p).reshape(n, p) - 0.5
    x = 0.3 * e
    for r in range(6):
        x = x + (6.0 - r) * (a[:, r:r + 1] * b[r:r + 1, :])
    x = np.maximum(x, 0.0)
    j = np.arange(p) % 50
    x[:, j == 7] = 0.0
    x[3, j == 7] = 1.0
    x[:, j == 9] = 0.7
    x[:, j == 11] = 0.01 * e[:, j == 11]
    x[5, j == 11] = 5.0
    return x.astype(np.float32)


def correlated(n, p):
    """Columns 3k, 3k+1, 3k+2 share a factor, ever more strongly; odd thirds are rounded to make ties."""
    u = uniform(204, n * p).reshape(n, p)
    x = u.copy()
    for j in range(p):
        if j % 3 == 1:
            x[:, j] = x[:, j - 1] * (1.0 if j % 2 else -1.0) + 0.02 * j * u[:, j]
        if j % 3 == 2:
            x[:, j] = np.floor(8.0 * (x[:, j - 1] + 0.3 * u[:, j])) / 8.0
    x[:, p - 1] = 0.25
    return x


def lasso_table(name):
    """x, y (0/1), w, folds 0-9 for the LASSO: columns standardised by mean and population SD.

    blocks: two sets of columns that span nearly the same space, as the components of two regions do."""
    from classify_trees_data import generate, table
    if name == "breast_cancer":
        from sklearn.datasets import load_breast_cancer
        x, y = load_breast_cancer(return_X_y=True)
        w = 1.0 / (1.0 + np.floor(3.0 * uniform(99, len(y))))
    elif name == "wide":
        x, y, w = generate(21, 90, 300, 6, 0.5, 0.0, 0, 0.0)
    elif name == "imbalanced":
        x, y, w = generate(22, 400, 25, 5, 0.6, 1.1, 0, 0.0)
    elif name == "blocks":
        x, y, w = generate(23, 120, 100, 6, 0.8, 0.0, 0, 0.0)
        for j in range(50):
            x[:, 50 + j] = x[:, j] + 0.3 * x[:, 50 + j]
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    fold = np.argsort(np.argsort(uniform(205, len(y)), kind="stable"), kind="stable") % 10
    return x, y.astype(float), w, fold
