"""Losses of one logit and their derivatives by torchvision.ops.sigmoid_focal_loss and autograd, in float64, with smoothed
targets and class weights -> nn/testdata/oracle/loss.json.
"""

import itertools
import json
import pathlib

import torch
import torchvision

OUT = pathlib.Path(__file__).parent.parent / "nn" / "testdata" / "oracle" / "loss.json"
LOGITS = [-30.0, -8.0, -2.5, -0.3, 0.0, 0.7, 3.0, 12.0, 30.0]
TARGETS = [0.0, 0.4, 1.0]
OPTIONS = [  # gamma, alpha (-1: none), smoothing, class weights (of 0 and 1)
    (0.0, -1, 0.0, None), (2.0, -1, 0.0, None), (2.0, 0.25, 0.0, None), (0.0, 0.5, 0.0, None), (0.5, 0.5, 0.0, None),
    (1.0, 0.75, 0.1, None), (5.0, -1, 0.2, None), (0.0, -1, 0.1, None), (0.0, -1, 0.0, (0.5, 2.0)), (2.0, 0.25, 0.1, (0.7, 1.3)),
]


def cases(gamma, alpha, smoothing, weights):
    pairs = list(itertools.product(LOGITS, TARGETS))
    z = torch.tensor([p[0] for p in pairs], dtype=torch.float64, requires_grad=True)
    y = torch.tensor([p[1] for p in pairs], dtype=torch.float64)
    low, high = torch.tensor(weights or (1.0, 1.0), dtype=torch.float64)  # as Python numbers, where would make them float32
    w = torch.where(y >= 0.5, high, low)
    smoothed = y * (1 - smoothing) + smoothing / 2
    loss = w * torchvision.ops.sigmoid_focal_loss(z, smoothed, alpha=alpha, gamma=gamma, reduction="none")
    loss.sum().backward()
    return [{"z": a, "y": b, "loss": l, "grad": g} for (a, b), l, g in zip(pairs, loss.tolist(), z.grad.tolist())]


if __name__ == "__main__":
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps({
        "recipe": "oracles/nn_loss.py",
        "versions": {"torch": torch.__version__, "torchvision": torchvision.__version__},
        "tolerance": 1e-12,
        "reason": "absolute up to 1, else relative: float64 throughout",
        "losses": [{"gamma": g, "alpha": max(a, 0), "smoothing": s, "class_weights": list(w or (0, 0)), "cases": cases(g, a, s, w)}
                   for g, a, s, w in OPTIONS],
    }, indent=0))
