#!/usr/bin/python3
"""PyTorch's time and memory for a training step of DenseNet169 with one logit at 224 x 224, fp32: forward, binary
cross-entropy, backward, Adam.

Each setting - memory layout NCHW or NHWC, threads pinned and spinning or waiting passively (better on a busy machine),
malloc tuned for speed or as it comes (and compiled, with --compile) - runs in a process of its own. The fastest counts
as PyTorch's time, and the least peak resident memory of any as its memory. --avx2 holds PyTorch to AVX2. The images
are random: they do not change the time.
"""
import argparse
import json
import os
import subprocess
import sys

import timing

# Layout and environment.
SETTINGS = {
    "nhwc": ("nhwc", timing.TUNED),
    "nchw": ("nchw", timing.TUNED),
    "nhwc, waiting passively": ("nhwc", {**timing.MALLOC, "OMP_NUM_THREADS": str(timing.THREADS), "OMP_WAIT_POLICY": "passive"}),
    "nhwc, plain malloc": ("nhwc", timing.PINNED),
}
COMPILED = ", compiled"


def adam(torch, parameters):
    """Adam, in its fused form where this PyTorch has one for the CPU."""
    parameters = list(parameters)
    try:
        return torch.optim.Adam(parameters, lr=1e-4, fused=True), True
    except (RuntimeError, TypeError):
        return torch.optim.Adam(parameters, lr=1e-4), False


def measure(setting, batch):
    """Measures one setting in this process and prints the result."""
    import torch
    import torchvision

    layout = SETTINGS[setting.removesuffix(COMPILED)][0]
    memory_format = torch.channels_last if layout == "nhwc" else torch.contiguous_format
    torch.set_num_threads(timing.THREADS)
    torch.manual_seed(0)
    net = torchvision.models.densenet169(weights=None, num_classes=1).train().to(memory_format=memory_format)
    optimiser, fused = adam(torch, net.parameters())
    loss = torch.nn.BCEWithLogitsLoss()
    x = torch.randn(batch, 3, 224, 224).contiguous(memory_format=memory_format)
    y = (torch.arange(batch) % 2).float()[:, None]
    forward = torch.compile(net) if setting.endswith(COMPILED) else net

    def step():
        optimiser.zero_grad(set_to_none=True)
        loss(forward(x), y).backward()
        optimiser.step()

    ms, clean, samples = timing.median_ms(step, samples=5, limit=60)
    print(json.dumps({"ms": ms / batch, "peak_mb": timing.peak_mb(), "clean_samples": clean, "samples": samples,
                      "fused_adam": fused, "version": torch.__version__.split("a")[0].split("+")[0]}))


def main():
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("--avx2", action="store_true", help="hold PyTorch and oneDNN to AVX2")
    args.add_argument("--compile", action="store_true", help="try torch.compile too (needs a C++ compiler)")
    args.add_argument("--batch", type=int, default=16)
    args.add_argument("--setting", help=argparse.SUPPRESS)
    args = args.parse_args()
    if args.setting:
        measure(args.setting, args.batch)
        return
    results = {}
    for setting in [*SETTINGS, *(["nhwc" + COMPILED] if args.compile else [])]:
        tuned = SETTINGS[setting.removesuffix(COMPILED)][1]
        env = {**os.environ, **tuned, **(timing.AVX2 if args.avx2 else {})}
        done = subprocess.run([sys.executable, __file__, "--setting", setting, "--batch", str(args.batch)], env=env,
                              stdout=subprocess.PIPE, text=True, check=True)
        results[setting] = json.loads(done.stdout.splitlines()[-1])
    fastest = min(results, key=lambda s: results[s]["ms"])
    timing.emit(f"torch {results[fastest]['version']}" + (" avx2" if args.avx2 else ""),
                {f"train.{args.batch}": results[fastest]["ms"], "peak_mb": min(r["peak_mb"] for r in results.values())},
                unit="ms an image; MB", setting=fastest, all=results)


main()
