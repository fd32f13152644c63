#!/usr/bin/env python3
"""ONNX Runtime's time for the same network as peer_forward.py.

    /usr/bin/python3 peer_onnx.py export FILE.onnx    with a python that has torch and torchvision
    python peer_onnx.py time FILE.onnx                with a python that has onnxruntime
"""
import sys

import timing


def export(path):
    import torch
    import torchvision
    torch.manual_seed(0)
    net = torch.nn.Sequential(torchvision.models.densenet169(weights=None).features, torch.nn.ReLU()).eval()
    torch.onnx.export(net, torch.randn(1, 3, 224, 224), path, input_names=["x"], output_names=["features"],
                      dynamic_axes={"x": {0: "batch"}, "features": {0: "batch"}}, opset_version=13)


def session(path, batch, layout):
    """layout True lets the optimiser change the layout of data (its highest level)."""
    import onnxruntime as ort
    o = ort.SessionOptions()
    o.intra_op_num_threads, o.inter_op_num_threads = timing.THREADS, 1
    o.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    o.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL if layout else ort.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    o.add_free_dimension_override_by_name("batch", batch)
    return ort.InferenceSession(path, o, providers=["CPUExecutionProvider"])


def time(path):
    import numpy as np
    import onnxruntime as ort
    metrics, details = {}, {}
    for batch in (1, 16):
        x = np.random.default_rng(0).standard_normal((batch, 3, 224, 224), np.float32)
        results = {}
        for name, layout in (("all", True), ("extended", False)):
            s = session(path, batch, layout)
            results[name] = timing.median_ms(lambda: s.run(None, {"x": x}))
        top = timing.best(results)
        metrics[f"forward.{batch}"] = top["ms"] / batch
        details[str(batch)] = top
    timing.emit(f"onnxruntime {ort.__version__}", metrics, unit="ms an image", settings=details)


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] not in ("export", "time"):
        sys.exit(__doc__)
    if sys.argv[1] == "export":
        export(sys.argv[2])
    else:
        # ONNX Runtime brings its own threads; only malloc is tuned.
        timing.restart_with({"GLIBC_TUNABLES": timing.TUNED["GLIBC_TUNABLES"]})
        time(sys.argv[2])
