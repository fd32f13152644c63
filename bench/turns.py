#!/usr/bin/env python3
"""Runs contenders in turns (A B C A B C ...), each in a process of its own on a quiet machine, and compares them.

    turns.py --out FILE.json --rounds N [--compare OURS PEER METRIC LIMIT]... [--limit NAME METRIC LIMIT]... NAME=COMMAND...

A command prints, as its last line that starts with "{", {"metrics": {name: number}} or what `sonotype bench --json`
prints; smaller is better. A ratio is the median over the rounds of ours / peer of the same round.
"""
import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time


def machine():
    cpu = dict(line.split(":", 1) for line in open("/proc/cpuinfo").read().split("\n\n")[0].splitlines() if ":" in line)
    cpu = {k.strip(): v.strip() for k, v in cpu.items()}
    flags = cpu.get("flags", "").split()
    mem = int(open("/proc/meminfo").readline().split()[1]) // 1024
    return {"cpu": cpu.get("model name", platform.processor()), "family_model_stepping": [cpu.get("cpu family"), cpu.get("model"), cpu.get("stepping")],
            "isa": [f for f in ("avx2", "fma", "avx512f", "avx512bw", "avx512vl", "avx512_vnni", "avx512_bf16") if f in flags],
            "cores": os.cpu_count(), "memory_mb": mem, "kernel": platform.release(), "l2_l3": cpu.get("cache size")}


def stat():
    hz = os.sysconf("SC_CLK_TCK")
    f = [int(v) / hz for v in open("/proc/stat").readline().split()[1:9]]
    return sum(f[i] for i in (0, 1, 2, 5, 6)), f[7]  # used, stolen by the host


def wait_until_quiet(limit):
    """Waits for 1.5 s in which all processes together used under a tenth of a core; says whether that came."""
    end = time.monotonic() + limit
    while time.monotonic() < end:
        before = stat()[0]
        time.sleep(1.5)
        if stat()[0] - before < 0.15:
            return True
    return False


def metrics(doc):
    if "metrics" in doc:
        return doc["metrics"]
    out = {f"{kind}.{batch}": v["ms_per_image"] for kind in ("forward", "train") for batch, v in (doc.get(kind) or {}).items()}
    return {**out, "peak_mb": doc["peak_rss_mb"]}


def run(command, wait):
    quiet = wait_until_quiet(wait)
    used, stolen = stat()
    r0 = resource.getrusage(resource.RUSAGE_CHILDREN)
    p = subprocess.run(command, shell=True, stdout=subprocess.PIPE, text=True)
    r1 = resource.getrusage(resource.RUSAGE_CHILDREN)
    own = r1.ru_utime + r1.ru_stime - r0.ru_utime - r0.ru_stime
    lines = [line for line in p.stdout.splitlines() if line.startswith("{")]
    text = p.stdout.strip()
    if p.returncode or not (lines or text.startswith("{")):
        print(f"  failed ({p.returncode}): {command}", file=sys.stderr)
        return None
    doc = json.loads(lines[-1]) if lines[-1].rstrip().endswith("}") else json.loads(text)
    now, stolen2 = stat()
    return {"result": doc, "metrics": metrics(doc), "quiet": quiet, "other_cpu_s": round(now - used - own, 2), "stolen_s": round(stolen2 - stolen, 2)}


def compare(rounds, ours, peer, metric):
    """Ratios of the rounds in which both have the metric."""
    return [a["metrics"][metric] / b["metrics"][metric] for r in rounds
            if (a := r.get(ours)) and (b := r.get(peer)) and metric in a["metrics"] and metric in b["metrics"]]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--out", required=True)
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--wait", type=float, default=120, help="longest wait for a quiet machine, in seconds")
    p.add_argument("--compare", nargs=4, action="append", default=[], metavar=("OURS", "PEER", "METRIC", "LIMIT"))
    p.add_argument("--limit", nargs=3, action="append", default=[], metavar=("NAME", "METRIC", "LIMIT"))
    p.add_argument("contenders", nargs="+", metavar="NAME=COMMAND")
    a = p.parse_args()
    commands = dict(c.split("=", 1) for c in a.contenders)
    rounds = []
    for i in range(a.rounds):
        rounds.append({})
        for name, command in commands.items():
            print(f"round {i + 1}/{a.rounds}: {name}", file=sys.stderr)
            rounds[-1][name] = done = run(command, a.wait)
            if done:
                print("  " + "  ".join(f"{k} {v:.2f}" for k, v in done["metrics"].items()), file=sys.stderr)
    about = machine()
    print(f"\n{about['cpu']}, {about['cores']} cores, {' '.join(about['isa'])}")
    medians = {}
    for name in commands:
        done = [r[name] for r in rounds if r[name]]
        keys = sorted({k for d in done for k in d["metrics"]})
        medians[name] = {k: statistics.median(d["metrics"][k] for d in done if k in d["metrics"]) for k in keys}
        noisy = sum(not d["quiet"] for d in done)
        print(f"  {name:28s} " + "  ".join(f"{k} {v:8.2f}" for k, v in medians[name].items()) + (f"  ({noisy} of {len(done)} on a busy machine)" if noisy else ""))
    ratios, missed = [], 0
    for ours, peer, metric, limit in a.compare:
        r = compare(rounds, ours, peer, metric)
        if not r:
            print(f"  {ours} / {peer} {metric}: not measured")
            continue
        ratio = statistics.median(r)
        missed += ratio > float(limit)
        ratios.append({"ours": ours, "peer": peer, "metric": metric, "ratio": ratio, "limit": float(limit), "rounds": r})
        print(f"  {ours} / {peer} {metric}: {ratio:.3f} ({min(r):.3f}-{max(r):.3f}), at most {limit}: {'met' if ratio <= float(limit) else 'MISSED'}")
    for name, metric, limit in a.limit:
        v = medians[name].get(metric)
        if v is not None:
            missed += v > float(limit)
            print(f"  {name} {metric}: {v:.3f}, at most {limit}: {'met' if v <= float(limit) else 'MISSED'}")
    os.makedirs(os.path.dirname(a.out) or ".", exist_ok=True)
    with open(a.out, "w") as f:
        json.dump({"machine": about, "commands": commands, "medians": medians, "ratios": ratios, "rounds": rounds}, f, indent=1)
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
