#!/usr/bin/python3
"""The study's training by PyTorch: the same crops, patients, split and recipe as a run of sonotype.

    peer_study.py RUN OUT [--start FILE.safetensors] [--epochs N]

Reads RUN/plan.json, 02-roi/{images.csv,ta.u8,pta.u8} and 03-finetune/split.csv. Trains torchvision's DenseNet on TA and on
PTA of the split's train part, keeps the epoch by the plan's rule on the held-out part, and writes OUT/{ta,pta}.npy - the
features of every image, a row each, in the order of images.csv - and OUT/history.csv, OUT/train.json. peer_models.py goes
on from there. A killed training goes on after its last whole epoch.

Start: the tensors of a safetensors file (`go run ./bench/start RUN FILE` writes those of a run that begins at random), or
torchvision's initialisation from the plan's seed.

The same: everything that network.train in study.yaml sets, the batches' size, a last single image joining the batch before
it, units' mean scores, the rule for the epoch. Not the same: the order of the images and the draws of the augmentation,
which come from PyTorch's generator, and the rounding of sums. The time is not what this script is for (peer_train.py).
"""
import argparse
import csv
import json
import math
import os
import re
import time

import numpy as np

import peer_run
import timing

# Threads that spin while they wait are the faster ones on a quiet machine, and many times the slower ones on a busy one.
timing.restart_with({**timing.MALLOC, "OMP_NUM_THREADS": str(timing.THREADS), "OMP_WAIT_POLICY": "passive"})

import torch  # noqa: E402  (after the restart)
import torch.nn.functional as F  # noqa: E402
import torchvision  # noqa: E402

MEAN, STD = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1), torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1)
GRAIN = (2, 4)  # px, down and across


def read_safetensors(path):
    with open(path, "rb") as f:
        head = json.loads(f.read(int.from_bytes(f.read(8), "little")))
        data = f.read()
    head.pop("__metadata__", None)
    tensors = {}
    for name, t in head.items():
        if t["dtype"] != "F32":
            raise SystemExit(f"{path}: {name} is {t['dtype']}, not F32")
        a, b = t["data_offsets"]
        tensors[name] = torch.from_numpy(np.frombuffer(data[a:b], "<f4").reshape(t["shape"]).copy())
    return tensors


def network(run, start):
    torch.manual_seed(run.plan["seed"])
    net = getattr(torchvision.models, run.network["backbone"])(weights=None, num_classes=1)
    if start:
        missing, unknown = net.load_state_dict(read_safetensors(start), strict=False)
        missing = [m for m in missing if not m.endswith("num_batches_tracked") and not m.startswith("classifier.")]
        if missing or unknown:
            raise SystemExit(f"{start} is not {run.network['backbone']}: missing {missing[:3]}, unknown {unknown[:3]}")
    return net.to(memory_format=torch.channels_last)


def part(name, blocks):
    """Parts of a DenseNet back from its head: 0 the classifier, 1 the last block, ..., blocks + 1 the stem."""
    block = re.match(r"features\.(?:denseblock|transition)(\d+)\.", name)
    if block:
        return blocks - int(block[1]) + 1
    if name.startswith("classifier."):
        return 0
    return 1 if name.startswith("features.norm5.") else blocks + 1


def rates(net, c):
    """The factor on the learning rate of each parameter; 0: frozen."""
    names = [n for n, _ in net.named_parameters()]
    blocks = max(int(n.split("denseblock")[1].split(".")[0]) for n in names if "denseblock" in n)
    back = {n: part(n, blocks) for n in names}
    thawed = {"none": blocks + 1, "all-but-last-block": 1, "all": 0}[c["freeze"]]
    return {n: 0.0 if back[n] > thawed or c["freeze_norm"] and "norm" in n else c["layer_decay"] ** back[n] for n in names}


def optimiser(net, c, factor):
    groups = []
    for n, p in net.named_parameters():
        p.requires_grad_(factor[n] > 0)
        if factor[n] > 0:
            groups.append({"params": [p], "factor": factor[n]})
    make = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW, "sgd": torch.optim.SGD}[c["optimizer"]]
    more = {"momentum": c["momentum"]} if c["optimizer"] == "sgd" else {}
    return make(groups, lr=c["rate"], weight_decay=c["weight_decay"], **more)


def rate(c, step, per_epoch):
    """The learning rate of a step, counted from 0: in equal parts up to the rate, then constant or half a cosine."""
    steps, warm = c["epochs"] * per_epoch, math.floor(min(c["warm_up"], c["epochs"] / 2) * per_epoch + 0.5)
    if step < warm:
        return c["rate"] * (step + 1) / warm
    if c["schedule"] == "cosine":
        return c["rate"] * (1 + math.cos(math.pi * (step - warm) / (steps - warm))) / 2
    return c["rate"]


def losses(c, logits, y, weights):
    """The loss of each image; weights are those of the classes 0 and 1."""
    target = y * (1 - c["smoothing"]) + c["smoothing"] / 2
    if c["loss"] == "focal":
        loss = torchvision.ops.sigmoid_focal_loss(logits, target, alpha=c["alpha"] if c["alpha"] > 0 else -1, gamma=c["gamma"])
    else:
        loss = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    return loss * weights[y.long()]


def class_weights(c, label):
    n, positive = len(label), label.sum()
    if c["class_weights"] != "balanced":
        return torch.ones(2)
    return torch.tensor([n / (2 * (n - positive)), n / (2 * positive)], dtype=torch.float32)


def uniform(n, most):
    return most * (2 * torch.rand(n) - 1)


def warp(x, a):
    """Mirrors, turns, scales and moves x (n x 1 x side x side), black coming in from beyond its sides."""
    n, side = x.shape[0], x.shape[-1]
    centre = (side - 1) / 2
    mirror = 1 - 2 * (torch.rand(n) < a["flip"]).float()
    scale, angle = torch.exp(uniform(n, math.log1p(a["scale"]))), uniform(n, math.radians(a["rotation"]))
    dx, dy = uniform(n, a["shift"] * side) / centre, uniform(n, a["shift"] * side) / centre
    cos, sin = torch.cos(angle) / scale, torch.sin(angle) / scale
    across = torch.stack([mirror * cos, mirror * sin, -mirror * (dx * cos + dy * sin)], 1)
    down = torch.stack([-sin, cos, dx * sin - dy * cos], 1)
    grid = F.affine_grid(torch.stack([across, down], 1), list(x.shape), align_corners=True)
    return F.grid_sample(x, grid, mode="bilinear", padding_mode="zeros", align_corners=True)


def tone(x, a):
    """Changes the grey curve of x and multiplies by speckle, both of which leave black as it is."""
    n, side = x.shape[0], x.shape[-1]
    gain, gamma = torch.exp(uniform(n, math.log1p(a["gain"]))), torch.exp(uniform(n, math.log1p(a["contrast"])))
    sd = a["speckle"] * torch.rand(n)
    grain = F.avg_pool2d(torch.rand(n, 1, side + GRAIN[0] - 1, side + GRAIN[1] - 1), GRAIN, stride=1)
    grain = (grain - 0.5) * math.sqrt(12 * GRAIN[0] * GRAIN[1])
    each = lambda v: v.view(-1, 1, 1, 1)  # noqa: E731
    return (255 * each(gain) * (x / 255) ** each(gamma) * (1 + each(sd) * grain)).clamp(0, 255)


def inputs(crops, augment=None):
    """The network's inputs from grey crops, n x side x side bytes."""
    x = torch.from_numpy(np.ascontiguousarray(crops)).float()[:, None]
    if augment:
        if any(augment[k] > 0 for k in ("flip", "shift", "scale", "rotation")):
            x = warp(x, augment)
        if any(augment[k] > 0 for k in ("gain", "contrast", "speckle")):
            x = tone(x, augment)
    return ((x / 255 - MEAN) / STD).contiguous(memory_format=torch.channels_last)


def batches(order, size):
    """Runs of size; a single image left over joins the run before."""
    cuts = list(range(0, len(order), size))
    if size > 1 and len(order) > 1 and len(order) % size == 1:
        cuts.pop()
    return [order[a:b] for a, b in zip(cuts, [*cuts[1:], len(order)])]


def summary(run, rows, logits, loss):
    """Loss, accuracy at 0.5 and AUC by unit."""
    score, first = peer_run.pool(1 / (1 + np.exp(-logits.astype(float))), run.unit[rows])
    y = run.label[rows][first]
    above = score[y == 1][:, None] - score[y == 0]
    auc = (np.sign(above) / 2 + 0.5).mean()
    return {"loss": peer_run.pool(loss.astype(float), run.unit[rows])[0].mean(), "accuracy": ((score > 0.5) == y).mean(), "auc": auc}


def kept(c, history):
    """The epoch to be kept, from 0; the earlier of equals."""
    if c["select"] == "accuracy":
        return min(range(len(history)), key=lambda i: (-history[i]["valid_accuracy"], history[i]["valid_loss"]))
    return min(range(len(history)), key=lambda i: history[i]["valid_loss"])


def stopped(c, history):
    if not history or c["patience"] == 0:
        return False
    least = min(range(len(history)), key=lambda i: history[i]["valid_loss"])
    return len(history) - 1 - least >= c["patience"]


class Training:
    """A network of one region on its way."""

    def __init__(self, run, region, start, checkpoint):
        self.run, self.config, self.crops, self.checkpoint = run, run.train, run.crops(region), checkpoint
        self.key = json.dumps([run.plan, run.part.tolist(), start])
        self.train, self.valid = np.flatnonzero(run.part == "train"), np.flatnonzero(run.part == "heldout")
        self.net = network(run, start)
        factor = rates(self.net, self.config)
        self.optimiser = optimiser(self.net, self.config, factor)
        self.still = [m for n, m in self.net.named_modules() if isinstance(m, torch.nn.BatchNorm2d) and factor[n + ".weight"] == 0]
        self.weights = class_weights(self.config, run.label[self.train])
        self.history, self.best = [], None
        if os.path.exists(checkpoint):
            self.load()

    def load(self):
        s = torch.load(self.checkpoint, **({"weights_only": False} if torch.__version__ >= "2" else {}))
        if s["key"] != self.key:
            raise SystemExit(f"{self.checkpoint} is of another run: give another OUT")
        self.net.load_state_dict(s["net"])
        self.optimiser.load_state_dict(s["optimiser"])
        self.history, self.best = s["history"], s["best"]
        torch.set_rng_state(s["rng"])

    def save(self):
        torch.save({"net": self.net.state_dict(), "optimiser": self.optimiser.state_dict(), "history": self.history,
                    "best": self.best, "key": self.key, "rng": torch.get_rng_state()}, self.checkpoint + ".new")
        os.replace(self.checkpoint + ".new", self.checkpoint)

    def epoch(self):
        """Trains one epoch and judges it."""
        start = time.perf_counter()
        order = self.train[torch.randperm(len(self.train)).numpy()]
        parts = batches(order, self.config["batch"])
        self.net.train()
        for m in self.still:
            m.eval()
        seen = [self.step(b, len(self.history) * len(parts) + k, len(parts)) for k, b in enumerate(parts)]
        row = {"epoch": len(self.history) + 1, "rate": self.rate}
        row.update({"train_" + k: v for k, v in summary(self.run, order, *map(np.concatenate, zip(*seen))).items()})
        row.update({"valid_" + k: v for k, v in summary(self.run, self.valid, *self.judge()).items()})
        row["seconds"] = time.perf_counter() - start
        self.history.append(row)
        if kept(self.config, self.history) == len(self.history) - 1:
            self.best = {k: v.clone() for k, v in self.net.state_dict().items()}
        self.save()
        return row

    def step(self, rows, step, per_epoch):
        """One update; logits and losses of its images."""
        self.rate = rate(self.config, step, per_epoch)
        for g in self.optimiser.param_groups:
            g["lr"] = self.rate * g["factor"]
        x, y = inputs(self.crops[rows], self.config["augment"]), torch.from_numpy(self.run.label[rows]).float()
        self.optimiser.zero_grad(set_to_none=True)
        logits = self.net(x)[:, 0]
        loss = losses(self.config, logits, y, self.weights)
        loss.mean().backward()
        if self.config["clip"] > 0:
            torch.nn.utils.clip_grad_norm_(self.net.parameters(), self.config["clip"])
        self.optimiser.step()
        return logits.detach().numpy(), loss.detach().numpy()

    @torch.inference_mode()
    def judge(self):
        """Logits and losses of the held-out images."""
        self.net.eval()
        y = torch.from_numpy(self.run.label[self.valid]).float()
        logits = torch.cat([self.net(inputs(self.crops[b]))[:, 0] for b in batches(self.valid, self.config["batch"])])
        return logits.numpy(), losses(self.config, logits, y, self.weights).numpy()

    @torch.inference_mode()
    def features(self):
        """The kept epoch's features of every image."""
        self.net.load_state_dict(self.best)
        self.net.eval()
        rows = []
        for b in batches(np.arange(len(self.crops)), self.config["batch"]):
            f = F.relu(self.net.features(inputs(self.crops[b])))
            rows.append((f if self.run.network["layer"] == "features" else f.mean((2, 3))).flatten(1).numpy())
        return np.concatenate(rows)


def train(run, region, out, start):
    t = Training(run, region, start, os.path.join(out, region + ".pt"))
    while len(t.history) < run.train["epochs"] and not stopped(run.train, t.history):
        row = t.epoch()
        print(region, "  ".join(f"{k} {v:.4g}" for k, v in row.items()), flush=True)
    np.save(os.path.join(out, region + ".npy"), t.features())
    rows = [{"network": region, **row} for row in t.history]
    return rows, {"kept": kept(run.train, t.history) + 1, "epochs": len(rows), "images": len(t.train), "seconds": sum(r["seconds"] for r in rows)}


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("run")
    args.add_argument("out")
    args.add_argument("--start", help="safetensors file with the weights to begin with")
    args.add_argument("--epochs", type=int, help="instead of the plan's")
    args = args.parse_args()
    run = peer_run.Run(args.run)
    if run.train["shared"]:
        raise SystemExit("the run trains one network for both regions; this script trains one each")
    if args.epochs:
        run.train["epochs"] = args.epochs
    torch.set_num_threads(timing.THREADS)
    os.makedirs(args.out, exist_ok=True)
    history, about = [], {"torch": torch.__version__, "threads": timing.THREADS, "start": args.start or "torchvision"}
    for region in peer_run.REGIONS:
        rows, about[region] = train(run, region, args.out, args.start)
        history += rows
    with open(os.path.join(args.out, "history.csv"), "w", newline="") as f:
        w = csv.DictWriter(f, list(history[0]))
        w.writeheader()
        w.writerows(history)
    with open(os.path.join(args.out, "train.json"), "w") as f:
        json.dump(about, f, indent=1)


if __name__ == "__main__":
    main()
