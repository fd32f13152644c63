#!/usr/bin/env bash
# Times ours and the peers in turns and prints medians, ratios and whether the project's limits are met.
#   bench/run.sh [forward] [train] [scale] [select] [pca]      default: all. Results: bench/out/*.json
# Exit 1 when a limit is missed. What is not installed is left out with a line that says so. See bench/README.md.
set -euo pipefail
cd "$(dirname "$0")/.."

ROUNDS=${ROUNDS:-3}
WAIT=${WAIT:-120} # longest wait for a quiet machine before each run, s
export BENCH_THREADS=${BENCH_THREADS:-2}
export PYTHONDONTWRITEBYTECODE=1
OUT=bench/out
TORCH113=${TORCH113:-/usr/bin/python3}              # a python with torch 1.13 and torchvision
TORCHNEW=${TORCHNEW:-$OUT/torch/bin/python}         # a python with the newest torch and torchvision
PEERS=${PEERS:-$OUT/peers/bin/python}               # a python with onnxruntime, scikit-learn, lightgbm
# Our side of "select" and "pca" is bench/ours: the work that peer_select.py describes.
OURS_NUMBERS=$OUT/ours

mkdir -p "$OUT"
if [ -z "${OURS:-}" ]; then # a binary to measure instead of this tree's
	OURS=$OUT/sonotype
	CGO_ENABLED=0 go build -o "$OURS" ./cmd/sonotype
fi
has() { "$1" -c "import $2" >/dev/null 2>&1; }
skip() { echo "left out: $1" >&2; }
# Some machines set a core type for old OpenBLAS builds, which slows a new numpy down.
clean="env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE"
status=0

inputs() {
	[ -f "$OUT/inputs/pca.npy" ] || "$PEERS" bench/peer_select.py make "$OUT/inputs"
}

# Fills run with our contenders for what `sonotype bench --only $1` measures.
ours() {
	local command="$OURS bench --json --only $1 --threads $BENCH_THREADS"
	run=() compare=()
	if grep -qw avx512f /proc/cpuinfo; then
		run+=("ours-avx512=$command --isa avx512")
	fi
	run+=("ours-avx2=$command --isa avx2")
}

turns() {
	python3 bench/turns.py --out "$OUT/$1.json" --rounds "$ROUNDS" --wait "$WAIT" ${compare[@]+"${compare[@]}"} "${run[@]}" || status=1
}

forward() {
	local run compare
	ours forward
	if has "$TORCH113" torchvision; then
		run+=("torch-1.13=$TORCH113 bench/peer_forward.py" "torch-1.13-avx2=$TORCH113 bench/peer_forward.py --avx2")
		compare+=(--compare ours-avx512 torch-1.13 forward.16 0.80 --compare ours-avx512 torch-1.13 forward.1 0.70)
		compare+=(--compare ours-avx2 torch-1.13-avx2 forward.16 0.95)
		[ -f "$OUT/densenet169.onnx" ] || "$TORCH113" bench/peer_onnx.py export "$OUT/densenet169.onnx"
	else
		skip "torch 1.13 ($TORCH113 has no torchvision)"
	fi
	if has "$TORCHNEW" torchvision; then
		run+=("torch-new=$TORCHNEW bench/peer_forward.py ${COMPILE:+--compile}")
		compare+=(--compare ours-avx512 torch-new forward.16 1.0)
	else
		skip "newest torch (run bench/setup.sh)"
	fi
	if has "$PEERS" onnxruntime && [ -f "$OUT/densenet169.onnx" ]; then
		run+=("onnxruntime=$PEERS bench/peer_onnx.py time $OUT/densenet169.onnx")
		compare+=(--compare ours-avx512 onnxruntime forward.16 1.0 --compare ours-avx512 onnxruntime forward.1 1.1)
	else
		skip "onnxruntime (run bench/setup.sh)"
	fi
	turns forward
}

train() {
	local run compare
	ours train
	if has "$TORCH113" torchvision; then
		run+=("torch-1.13=$TORCH113 bench/peer_train.py" "torch-1.13-avx2=$TORCH113 bench/peer_train.py --avx2")
		compare+=(--compare ours-avx512 torch-1.13 train.16 0.75 --compare ours-avx512 torch-1.13 peak_mb 0.5)
		compare+=(--compare ours-avx2 torch-1.13-avx2 train.16 0.95 --compare ours-avx2 torch-1.13-avx2 peak_mb 0.5)
	else
		skip "torch 1.13 ($TORCH113 has no torchvision)"
	fi
	if has "$TORCHNEW" torchvision; then
		run+=("torch-new=$TORCHNEW bench/peer_train.py ${COMPILE:+--compile}")
		compare+=(--compare ours-avx512 torch-new train.16 1.0 --compare ours-avx512 torch-new peak_mb 0.5)
	else
		skip "newest torch (run bench/setup.sh)"
	fi
	turns train
}

# Training with 1, 2, 4, ... threads, as many as there are cores: at n, at most 1 / (0.7 n) of the time at 1.
scale() {
	local cores n run=() compare=()
	cores=$(nproc)
	if [ "$cores" -le 2 ]; then
		skip "scale (this machine has $cores cores, and it takes more than 2)"
		return
	fi
	for ((n = 1; n <= cores; n *= 2)); do
		run+=("threads-$n=$OURS bench --json --only train --threads $n")
		[ "$n" = 1 ] || compare+=(--compare "threads-$n" threads-1 train.16 "$(awk "BEGIN { printf \"%.3f\", 1 / (0.7 * $n) }")")
	done
	turns scale
}

# numbers NAME LIMITS...
numbers() {
	if ! has "$PEERS" lightgbm; then
		skip "$1 (run bench/setup.sh)"
		return
	fi
	inputs
	CGO_ENABLED=0 go build -o "$OURS_NUMBERS" ./bench/ours
	python3 bench/turns.py --out "$OUT/$1.json" --rounds "$ROUNDS" --wait "$WAIT" "${@:2}" \
		"ours=$OURS_NUMBERS $1 $OUT/inputs" "peer=$clean $PEERS bench/peer_select.py $1 $OUT/inputs" || status=1
}

for what in ${*:-forward train scale select pca}; do
	case $what in
	forward | train | scale) $what ;;
	select) numbers select --compare ours peer select 0.20 ;;
	pca) numbers pca --compare ours peer pca 1.0 --limit ours pca 1.5 ;;
	*) echo "unknown: $what (forward, train, scale, select, pca)" >&2; exit 2 ;;
	esac
done
exit $status
