"""Goldens of DenseNet by stage, from torchvision's own network in PyTorch.

Weights and image come from names and positions alone (nn/nntest makes the same), so the golden holds
only statistics and samples of each stage. Values are float64; PyTorch's own float32 error stands beside.
Writes densenet/testdata/oracle/<variant>_<size>.json.
"""

import json
import pathlib

import numpy as np
import torch
import torchvision

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
OUT = pathlib.Path(__file__).parent.parent / "densenet" / "testdata" / "oracle"
SAMPLES = 200
TOLERANCE = 2e-4


def seed_of(name):
    h = 0xCBF29CE484222325
    for b in name.encode():
        h = (h ^ b) * 0x100000001B3 % 2**64
    return np.uint64(h)


def uniform(name, n):
    """Numbers 0..n-1 of the named stream: nntest.Uniform."""
    with np.errstate(over="ignore"):
        z = seed_of(name) + np.arange(1, n + 1, dtype=np.uint64) * GOLDEN
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
    return (z >> np.uint64(40)).astype(np.float64) / 2**24


def fill(name, shape, low, high):
    n = int(np.prod(shape))
    return torch.from_numpy((low + (high - low) * uniform(name, n)).astype(np.float32).reshape(shape))


def set_weights(net):
    for name, t in net.state_dict().items():
        if name.endswith("num_batches_tracked"):
            continue
        low, high = -0.2, 0.2
        if t.dim() > 1:
            high = np.sqrt(6 / (t.numel() / t.shape[0]))
            low = -high
        elif name.endswith((".weight", ".running_var")):
            low, high = 0.5, 1.5
        t.copy_(fill(name, tuple(t.shape), low, high))


def stages(net, x):
    """Every tap of densenet.Graph, one image."""
    taps = {}
    for name, layer in net.features.named_children():
        x = layer(x)
        if name == "pool0":
            taps["stem"] = x
        elif name.startswith("denseblock"):
            taps["block" + name[-1]] = x
        elif name.startswith("transition"):
            taps["transition" + name[-1]] = x
    taps["features"] = torch.relu(x)
    taps["avgpool"] = taps["features"].mean((2, 3))
    return {k: v.numpy().ravel() for k, v in taps.items()}


def golden(variant, size):
    net = getattr(torchvision.models, variant)().eval()
    with torch.no_grad():
        set_weights(net)
        x = fill("image", (1, 3, size, size), -2, 2)
        single = stages(net, x)
        double = stages(net.double(), x.double())
    taps = []
    for name, v in double.items():
        at = (uniform("sample " + name, SAMPLES) * len(v)).astype(int)
        taps.append({
            "name": name, "length": len(v), "mean": v.mean(), "std": v.std(), "max": np.abs(v).max(),
            "torch_float32_error": np.abs(single[name] - v).max(),
            "samples": [float("%.9g" % s) for s in v[at]],
        })
    return {
        "recipe": "oracles/nn_densenet.py",
        "versions": {"torch": torch.__version__, "torchvision": torchvision.__version__, "numpy": np.__version__},
        "tolerance": TOLERANCE,
        "reason": "float32 sums of up to 1664 terms through 82 layers; absolute on features and their mean, "
                  "relative to the stage's largest value before",
        "variant": variant, "size": size, "taps": taps,
    }


if __name__ == "__main__":
    torch.set_num_threads(1)
    OUT.mkdir(parents=True, exist_ok=True)
    for variant, size in [("densenet169", 224), ("densenet121", 224), ("densenet169", 75)]:
        (OUT / f"{variant}_{size}.json").write_text(json.dumps(golden(variant, size), indent=0))
