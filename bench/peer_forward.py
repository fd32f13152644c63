#!/usr/bin/python3
"""PyTorch's time for the forward pass of DenseNet169 (the 81,536 features after the last ReLU) at 224 x 224, fp32.

Every setting is timed - memory layout NCHW or NHWC, eager or traced and frozen (and compiled, with --compile) - and
the best one counts. --avx2 holds PyTorch to AVX2. The weights are random: they do not change the time.
"""
import argparse

import timing

args = argparse.ArgumentParser(description=__doc__)
args.add_argument("--avx2", action="store_true", help="hold PyTorch and oneDNN to AVX2")
args.add_argument("--compile", action="store_true", help="try torch.compile too (needs a C++ compiler)")
args.add_argument("--batches", default="1,16")
args = args.parse_args()
timing.restart_with({**timing.TUNED, **(timing.AVX2 if args.avx2 else {})})

import torch  # noqa: E402  (after the restart)
import torchvision  # noqa: E402


def network(layout):
    torch.manual_seed(0)
    features = torchvision.models.densenet169(weights=None).features
    return torch.nn.Sequential(features, torch.nn.ReLU(inplace=True)).eval().to(memory_format=layout)


def settings(batch):
    """Yields (name, function that runs one batch)."""
    for name, layout in (("nchw", torch.contiguous_format), ("nhwc", torch.channels_last)):
        net = network(layout)
        x = torch.randn(batch, 3, 224, 224).contiguous(memory_format=layout)
        yield "eager " + name, lambda: net(x)
        with torch.no_grad():
            frozen = torch.jit.optimize_for_inference(torch.jit.freeze(torch.jit.trace(network(layout), x)))
        yield "frozen " + name, lambda: frozen(x)
        if args.compile:
            compiled = torch.compile(network(layout))
            yield "compiled " + name, lambda: compiled(x)


def main():
    torch.set_num_threads(timing.THREADS)
    metrics, details = {}, {}
    for batch in map(int, args.batches.split(",")):
        results = {}
        for name, run in settings(batch):
            with torch.inference_mode(not name.startswith("frozen")), torch.no_grad():
                results[name] = timing.median_ms(run)
        top = timing.best(results)
        metrics[f"forward.{batch}"] = top["ms"] / batch
        details[str(batch)] = top
    version = torch.__version__.split("a")[0].split("+")[0]
    timing.emit(f"torch {version}" + (" avx2" if args.avx2 else ""), metrics, unit="ms an image", settings=details,
                isa=torch.backends.cpu.get_cpu_capability() if hasattr(torch.backends, "cpu") else "")


main()
