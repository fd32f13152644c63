#!/usr/bin/env bash
# Makes the peers' environments: bench/out/peers (ONNX Runtime, scikit-learn, LightGBM) and bench/out/torch (the newest
# PyTorch). PyTorch 1.13 comes from Debian 12: apt-get install python3-torch python3-torchvision.
# TORCH_INDEX may name an index with CPU-only builds of torch; else the usual builds come, with several GB of CUDA.
set -euo pipefail
cd "$(dirname "$0")"
mkdir -p out
python=${PYTHON:-python3}
[ -x out/peers/bin/python ] || "$python" -m venv out/peers
out/peers/bin/pip install --quiet --upgrade onnxruntime scikit-learn lightgbm scipy numpy
[ -x out/torch/bin/python ] || "$python" -m venv out/torch
out/torch/bin/pip install --quiet --upgrade torch torchvision numpy ${TORCH_INDEX:+--index-url "$TORCH_INDEX"}
out/peers/bin/python -c 'import onnxruntime, sklearn, lightgbm; print("onnxruntime", onnxruntime.__version__, "scikit-learn", sklearn.__version__, "lightgbm", lightgbm.__version__)'
out/torch/bin/python -c 'import torch; print("torch", torch.__version__)'
