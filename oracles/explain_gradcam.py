"""Grad-CAM by PyTorch's autograd on torchvision's DenseNet169 with one output, in float64; bilinear enlargement by
torch.nn.functional.interpolate; rank correlation of maps by scipy -> explain/testdata/oracle/gradcam.json.

Weights and image come from names and positions alone (nn_densenet.py); the maps follow Selvaraju et al. 2017: weights
are the means of the logit's gradient over each channel, the map is the ReLU of the weighted sum of the channels.
"""

import json
import pathlib

import numpy as np
import scipy
import torch
import torchvision
from scipy.stats import spearmanr

from nn_densenet import fill, set_weights, uniform

OUT = pathlib.Path(__file__).parent.parent / "explain" / "testdata" / "oracle" / "gradcam.json"
SIZE = 160
ENLARGED = (23, 37)


def network():
    net = torchvision.models.densenet169()
    net.classifier = torch.nn.Linear(net.classifier.in_features, 1)
    with torch.no_grad():
        set_weights(net)
    return net.eval().double()


def grad_cam(net, x, sign):
    """The map of sign * logit, and the logit."""
    a = torch.relu(net.features(x)).detach().requires_grad_()
    logit = net.classifier(torch.flatten(torch.nn.functional.adaptive_avg_pool2d(a, 1), 1))
    (sign * logit).sum().backward()
    weights = a.grad.mean((2, 3), keepdim=True)
    return torch.relu((weights * a).sum(1)).detach()[0], logit.item()


def ranked(n):
    """Pairs of maps with many zeros, as the ReLU leaves them, from unrelated to the same."""
    out = []
    for k in range(n):
        a = np.maximum(uniform(f"map {k}", 49) - 0.4, 0).astype(np.float32)
        b = np.maximum(uniform(f"other map {k}", 49) - 0.4, 0).astype(np.float32)
        b = (b * (1 - k / (n - 1)) + a * (k / (n - 1))).astype(np.float32)
        out.append({"a": [float("%.9g" % v) for v in a], "b": [float("%.9g" % v) for v in b], "rho": spearmanr(a, b)[0]})
    return out


if __name__ == "__main__":
    torch.set_num_threads(1)
    net = network()
    image = fill("image", (1, 3, SIZE, SIZE), -2, 2).double()
    positive, logit = grad_cam(net, image, 1)
    negative, _ = grad_cam(net, image, -1)
    big = torch.nn.functional.interpolate(negative[None, None] / negative.max(), ENLARGED, mode="bilinear", align_corners=False)
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps({
        "recipe": "oracles/explain_gradcam.py",
        "versions": {"torch": torch.__version__, "torchvision": torchvision.__version__, "scipy": scipy.__version__, "numpy": np.__version__},
        "tolerance": 2e-5,
        "reason": "relative to the map's largest value: the feature map is float32, which shows as 2e-6 in a sum of 1664 channels; "
                  "the enlargement and the rank correlations are float64 and agree to 1e-6 and 1e-12",
        "size": SIZE, "logit": logit, "positive": positive.tolist(), "negative": negative.tolist(),
        "enlarged": {"height": ENLARGED[0], "width": ENLARGED[1], "values": [float("%.9g" % v) for v in big.ravel()]},
        "pairs": ranked(6),
    }, indent=0))
