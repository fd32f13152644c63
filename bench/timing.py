"""Shared by the peers: tuned environment, clean timing, one JSON line as the result."""
import json
import os
import statistics
import sys
import time

THREADS = int(os.environ.get("BENCH_THREADS", "2"))

# What a process must have from its start to be at its best: pinned spinning threads, and a malloc that keeps its
# memory (PyTorch otherwise maps and faults in every activation again).
PINNED = {
    "OMP_NUM_THREADS": str(THREADS),
    "OMP_PROC_BIND": "true",
    "OMP_WAIT_POLICY": "active",
}
MALLOC = {"GLIBC_TUNABLES": "glibc.malloc.mmap_max=0:glibc.malloc.trim_threshold=17179869184:glibc.malloc.top_pad=268435456"}
TUNED = {**PINNED, **MALLOC}
# Holds PyTorch and oneDNN (under its old and its new name) to AVX2.
AVX2 = {"ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2", "DNNL_MAX_CPU_ISA": "AVX2"}


def restart_with(env):
    """Starts this script again with env, since libraries read these variables when they are loaded."""
    if any(os.environ.get(k) != v for k, v in env.items()):
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **env})


def _busy():
    """Processor seconds that all processes of the machine have used."""
    f = list(map(int, open("/proc/stat").readline().split()[1:9]))
    return sum(f[i] for i in (0, 1, 2, 5, 6, 7)) / os.sysconf("SC_CLK_TCK")


def median_ms(f, samples=7, least=0.3, warm=3, limit=20):
    """Median milliseconds of f() over samples of at least `least` seconds each. Samples during which other
    processes took more than 6 % of a core do not count while there are enough others. Returns (ms, clean, all)."""
    for _ in range(warm):
        f()
    clean, rest, end = [], [], time.perf_counter() + limit
    while len(clean) < samples and time.perf_counter() < end:
        b0, c0, t0, n = _busy(), time.process_time(), time.perf_counter(), 0
        while time.perf_counter() - t0 < least:
            f()
            n += 1
        wall, own = time.perf_counter() - t0, time.process_time() - c0
        (clean if _busy() - b0 - own < 0.06 * wall + 0.02 else rest).append(wall / n * 1e3)
    used = clean if len(clean) >= 3 else clean + rest
    return statistics.median(used), len(clean), len(clean) + len(rest)


def peak_mb():
    """The largest resident memory of this process so far."""
    status = dict(line.split(":", 1) for line in open("/proc/self/status"))
    return int(status["VmHWM"].split()[0]) / 1e3


def best(results):
    """The fastest of {setting: (ms, clean, all)}, as what goes into the result."""
    setting = min(results, key=lambda s: results[s][0])
    return {"ms": results[setting][0], "setting": setting, "all": {s: round(r[0], 3) for s, r in results.items()}, "clean_samples": results[setting][1]}


def emit(contender, metrics, **more):
    """Prints the result: metrics is {name: number}, smaller being better."""
    print(json.dumps({"contender": contender, "threads": THREADS, "metrics": metrics, **more}), flush=True)
