"""Goldens of training: gradients by layer and five-step traces of torchvision's DenseNet169 with one logit.

Weights and images come from names and positions alone (nn/nntest makes the same). Gradients and traces are PyTorch's in
float64; how far PyTorch's own float32 is from them stands beside, and is what the tolerance is a multiple of.
Writes densenet/testdata/oracle/train_<case>.json.
"""

import copy
import json

import numpy as np
import torch
import torchvision

from nn_densenet import OUT, fill, set_weights, uniform

SAMPLES = 40
REASON = ("relative L2 distance on the samples, as a multiple of PyTorch's own float32 distance from float64: "
          "float32 rounding is amplified through 169 layers of batch normalisation, differently for every order of sums")


def network():
    net = torchvision.models.densenet169(num_classes=1).train()
    with torch.no_grad():
        set_weights(net)
    return net


def batch(n, size):
    return fill("image", (n, 3, size, size), -2, 2), torch.tensor([float(i % 3 == 1) for i in range(n)])


def loss_of(case, z, y):
    """torchvision.ops.sigmoid_focal_loss with smoothed targets and class weights; gamma 0 and alpha -1 are BCE."""
    o = case.get("loss", {})
    w = torch.ones_like(z)
    if "class_weights" in o:
        w = torch.where(y >= 0.5, o["class_weights"][1], o["class_weights"][0]).to(z.dtype)
    s = o.get("smoothing", 0)
    t = y * (1 - s) + s / 2
    each = torchvision.ops.sigmoid_focal_loss(z, t, alpha=o.get("alpha", -1), gamma=o.get("gamma", 0), reduction="none")
    return (w * each).mean()


def freeze(net, prefixes):
    """Parameters below a prefix do not learn; their batch normalisations use running statistics."""
    for name, p in net.named_parameters():
        if name.startswith(tuple(prefixes)):
            p.requires_grad_(False)
    for name, m in net.named_modules():
        if isinstance(m, torch.nn.BatchNorm2d) and (name + ".").startswith(tuple(prefixes)):
            m.eval()


def step(case, net, x, y):
    net.zero_grad(set_to_none=True)
    loss = loss_of(case, net(x)[:, 0], y)
    loss.backward()
    return loss.item()


def distance(a, b):
    return float(np.linalg.norm(a - b) / max(np.linalg.norm(b), 1e-300))


def gradients(case):
    x, y = batch(case["batch"], case["size"])
    single = network()
    freeze(single, case.get("freeze", ["-"]))
    double = copy.deepcopy(single).double()
    step(case, single, x, y)
    loss = step(case, double, x.double(), y.double())
    out = []
    singles = dict(single.named_parameters())
    for name, p in double.named_parameters():
        if p.grad is None:
            continue
        g, s = p.grad.numpy().ravel(), singles[name].grad.numpy().ravel().astype(np.float64)
        at = (uniform("sample " + name, SAMPLES) * len(g)).astype(int)
        keep = name.startswith(("classifier", "features.conv0", "features.norm", "features.transition")) or \
            ".denselayer1." in name or ".denselayer6." in name or "denseblock3.denselayer20." in name or ".denselayer32." in name
        if keep:
            out.append({"name": name, "norm": float(np.linalg.norm(g)), "torch_float32": distance(s, g),
                        "samples": [float("%.7g" % v) for v in g[at]]})
    return {"loss": loss, "tensors": out}


def optimizer(case, net):
    o, p = case["optimizer"], [p for p in net.parameters() if p.requires_grad]
    if o == "adam":
        return torch.optim.Adam(p, lr=case["rate"], weight_decay=case["decay"])
    if o == "adamw":
        return torch.optim.AdamW(p, lr=case["rate"], weight_decay=case["decay"])
    return torch.optim.SGD(p, lr=case["rate"], momentum=0.9, weight_decay=case["decay"])


def trace(case):
    x, y = batch(case["batch"], case["size"])
    losses = {}
    for kind in ("float64", "float32"):
        net = network()
        freeze(net, case.get("freeze", ["-"]))
        if kind == "float64":
            net, x, y = net.double(), x.double(), y.double()
        else:
            x, y = x.float(), y.float()
        opt = optimizer(case, net)
        losses[kind] = []
        for _ in range(5):
            losses[kind].append(step(case, net, x, y))
            if case["clip"] > 0:
                torch.nn.utils.clip_grad_norm_(net.parameters(), case["clip"])
            opt.step()
        if kind == "float64":
            running = {n: [float("%.9g" % v) for v in b.numpy().ravel()[:8]] for n, b in net.named_buffers()
                       if n.split(".running")[0] in ("features.norm0", "features.denseblock2.denselayer3.norm2", "features.norm5")
                       and "running" in n}
    return {"losses": losses["float64"], "torch_float32": losses["float32"], "running": running}


STEM_TO_3 = ["features.conv0", "features.norm0", "features.denseblock1", "features.denseblock2", "features.denseblock3",
             "features.transition"]
CASES = {
    "gradients_96": {"batch": 4, "size": 96},
    "gradients_75_focal": {"batch": 3, "size": 75, "loss": {"alpha": 0.25, "gamma": 2.0, "smoothing": 0.1, "class_weights": [0.5, 2.0]}},
    "gradients_224": {"batch": 3, "size": 224},
    "gradients_96_frozen": {"batch": 4, "size": 96, "freeze": STEM_TO_3},
    "trace_adam": {"batch": 4, "size": 96, "optimizer": "adam", "rate": 2e-5, "decay": 0.0, "clip": 0.0},
    "trace_adam_decay": {"batch": 4, "size": 96, "optimizer": "adam", "rate": 2e-5, "decay": 0.01, "clip": 0.5},
    "trace_adamw": {"batch": 4, "size": 96, "optimizer": "adamw", "rate": 2e-5, "decay": 0.1, "clip": 0.0},
    "trace_sgd": {"batch": 4, "size": 96, "optimizer": "sgd", "rate": 2e-4, "decay": 0.01, "clip": 0.0},
    "trace_frozen": {"batch": 4, "size": 96, "optimizer": "sgd", "rate": 2e-3, "decay": 0.01, "clip": 0.0, "freeze": STEM_TO_3},
}

if __name__ == "__main__":
    torch.set_num_threads(1)
    OUT.mkdir(parents=True, exist_ok=True)
    for name, case in CASES.items():
        body = trace(case) if name.startswith("trace") else gradients(case)
        head = {
            "recipe": "oracles/nn_training.py",
            "versions": {"torch": torch.__version__, "torchvision": torchvision.__version__, "numpy": np.__version__},
            "tolerance": 3, "reason": REASON, "case": case,
        }
        (OUT / f"train_{name}.json").write_text(json.dumps({**head, **body}, indent=0))
        print(name, body["losses"] if "losses" in body else (body["loss"], max(t["torch_float32"] for t in body["tensors"])))
