"""Checks an ONNX model and runs it with ONNX Runtime: onnx_run.py MODEL INPUT N C H W FOLDER reads the image batch
INPUT (float32, little-endian) and writes every output as FOLDER/NAME.f32."""
import sys

import numpy as np
import onnx
import onnxruntime

model, source, *shape, folder = sys.argv[1:]
onnx.checker.check_model(model, full_check=True)
session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
image = np.fromfile(source, "<f4").reshape([int(d) for d in shape])
names = [o.name for o in session.get_outputs()]
for name, values in zip(names, session.run(names, {"image": image})):
    values.astype("<f4").tofile(f"{folder}/{name}.f32")
