"""Loads a trained DenseNet169 into torchvision's as docs/weights.md says, and runs it: torch_load.py WEIGHTS INPUT N C H W
FOLDER reads the image batch INPUT (float32, little-endian) and writes FOLDER/logits.f32. Prints what load_state_dict missed."""
import sys

import numpy as np
import safetensors.torch
import torch
import torchvision

path, source, *shape, folder = sys.argv[1:]
net = torchvision.models.densenet169(num_classes=1)
keys = net.load_state_dict(safetensors.torch.load_file(path), strict=False)
if keys.unexpected_keys or any(not k.endswith(".num_batches_tracked") for k in keys.missing_keys):
    sys.exit(f"load_state_dict: {keys}")
print(len(keys.missing_keys), "missing counters")

strict = torchvision.models.densenet169(num_classes=1)
strict.load_state_dict({**strict.state_dict(), **safetensors.torch.load_file(path)})

x = torch.from_numpy(np.fromfile(source, "<f4").reshape([int(d) for d in shape]))
with torch.no_grad():
    logits, again = net.eval()(x), strict.eval()(x)
if not torch.equal(logits, again):
    sys.exit("the strict way gives other logits")
logits.numpy().astype("<f4").tofile(f"{folder}/logits.f32")
