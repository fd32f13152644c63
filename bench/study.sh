#!/usr/bin/env bash
# Trains and scores the study of a finished run anew with PyTorch, scikit-learn and LightGBM, and compares the AUCs.
#   bench/study.sh RUN OUT [KEY]      KEY is features/model, e.g. fusion/svm; default: the run's primary model
# START names the run's weights where it does not begin at random. Exit 1 where the 95 % interval of the difference, ours
# less theirs, does not lie above -0.05 in the internal and the external set. See bench/README.md.
set -euo pipefail
run=$(realpath "$1") out=$(realpath -m "$2") key=${3:-} start=${START:+$(realpath "$START")}
cd "$(dirname "$0")/.."

export BENCH_THREADS=${BENCH_THREADS:-$(nproc)}
export PYTHONDONTWRITEBYTECODE=1
TORCH=${TORCH:-/usr/bin/python3}             # a python with torch and torchvision
PEERS=${PEERS:-bench/out/peers/bin/python}   # a python with scikit-learn and lightgbm

mkdir -p "$out"
if [ -z "$start" ]; then
	start=$out/start.safetensors
	go run ./bench/start "$run" "$start"
fi
"$TORCH" bench/peer_study.py "$run" "$out" --start "$start"
env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE "$PEERS" bench/peer_models.py "$run" "$out"
go run ./bench/paired -above -0.05 ${key:+-key "$key"} "$run/06-classify/scores.csv" "$out/scores.csv"
