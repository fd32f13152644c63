#!/usr/bin/python3
"""Resize, mean filter, grey conversion and dHash from Debian's OpenCV 4.6, as SHA-256 of the output bytes.

Writes imaging/testdata/oracle/resize.json. Inputs come from pattern(), which imaging/oracle_test.go repeats.
"""
import hashlib
import json
import os

import cv2
import numpy as np

cv2.setNumThreads(1)
OUT = os.path.join(os.path.dirname(__file__), "..", "imaging", "testdata", "oracle", "resize.json")


def pattern(w, h, kind, seed=1):
    """An image both sides can make: integer hash noise, a smooth interference pattern, or a 0/1 mask."""
    x = np.arange(w, dtype=np.uint64)[None, :]
    y = np.arange(h, dtype=np.uint64)[:, None]
    m = np.uint64(0xFFFFFFFF)
    if kind == "smooth":
        return (((x * x + 3 * x * y + 2 * y * y) // 64 + np.uint64(seed)) & np.uint64(255)).astype(np.uint8)
    v = ((x * 73856093) & m) ^ ((y * 19349663) & m) ^ np.uint64(seed * 83492791 & 0xFFFFFFFF)
    v ^= v >> np.uint64(15)
    v = (v * np.uint64(2246822519)) & m
    v ^= v >> np.uint64(13)
    v = (v * np.uint64(3266489917)) & m
    v ^= v >> np.uint64(16)
    if kind == "mask":
        return (v & np.uint64(1)).astype(np.uint8)
    return (v & np.uint64(255)).astype(np.uint8)


def sha(a):
    return hashlib.sha256(np.ascontiguousarray(a).tobytes()).hexdigest()


INTERP = {"linear": cv2.INTER_LINEAR, "cubic": cv2.INTER_CUBIC, "area": cv2.INTER_AREA, "nearest": cv2.INTER_NEAREST}

sizes = [
    (274, 353, 960, 720), (485, 537, 960, 720), (579, 478, 960, 720), (1024, 618, 960, 720),
    (1280, 960, 960, 720), (1920, 1440, 960, 720), (960, 720, 480, 360), (960, 720, 224, 224),
    (960, 720, 320, 240), (960, 720, 1920, 1440), (101, 67, 224, 224), (337, 337, 224, 224),
    (224, 224, 223, 225), (7, 5, 13, 11), (13, 11, 7, 5), (1, 1, 9, 8), (1, 40, 17, 5), (40, 1, 5, 17),
    (9, 8, 1, 1), (64, 64, 1, 64), (64, 64, 64, 1), (2, 2, 1, 1), (3, 3, 2, 2), (2, 3, 50, 49),
    (49, 98, 1, 2), (490, 98, 10, 2), (100, 60, 50, 20), (100, 60, 50, 90), (60, 100, 90, 50),
    (640, 480, 960, 541), (801, 603, 127, 333), (33, 17, 31, 19), (255, 257, 256, 256), (500, 400, 501, 401),
]
resize = []
for sw, sh, dw, dh in sizes:
    for name, code in INTERP.items():
        for kind in ("noise", "smooth", "mask") if name == "nearest" else ("noise", "smooth"):
            out = cv2.resize(pattern(sw, sh, kind), (dw, dh), interpolation=code)
            case = dict(w=sw, h=sh, dw=dw, dh=dh, interp=name, kind=kind, sha256=sha(out))
            if out.size <= 256 and kind == "noise":
                case["pixels"] = out.ravel().tolist()
            resize.append(case)

blur = []
for w, h in [(960, 720), (61, 47), (5, 4), (2, 9), (9, 2), (1, 1), (1, 12), (12, 1), (33, 34), (224, 224)]:
    for k in (1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 25, 31):
        for kind in ("noise", "smooth"):
            out = cv2.blur(pattern(w, h, kind), (k, k))
            blur.append(dict(w=w, h=h, k=k, kind=kind, sha256=sha(out)))

# Every (R, G, B) with steps of 5, in nested loops, and a hashed image.
steps = np.arange(0, 256, 5, dtype=np.uint8)
r, g, b = np.meshgrid(steps, steps, steps, indexing="ij")
cube = np.stack([r.ravel(), g.ravel(), b.ravel()], -1)[None]
grey_cube = cv2.cvtColor(cube, cv2.COLOR_RGB2GRAY)
noise = np.stack([pattern(301, 203, "noise", s) for s in (1, 2, 3)], -1)
grey_noise = cv2.cvtColor(noise, cv2.COLOR_RGB2GRAY)

dhash = []
for w, h, kind in [(960, 720, "smooth"), (274, 353, "smooth"), (274, 353, "noise"), (5, 5, "noise"), (90, 80, "smooth")]:
    s = cv2.resize(pattern(w, h, kind), (9, 8), interpolation=cv2.INTER_AREA).astype(int)
    bits = "".join("1" if v else "0" for v in (s[:, 1:] > s[:, :-1]).ravel())
    dhash.append(dict(w=w, h=h, kind=kind, hash=f"{int(bits, 2):016x}"))

os.makedirs(os.path.dirname(OUT), exist_ok=True)
with open(OUT, "w") as f:
    json.dump(dict(
        recipe="oracles/imaging_resize.py",
        versions=dict(opencv=cv2.__version__, numpy=np.__version__),
        tolerance=0, reason="fixed-point and float32 arithmetic is repeated step by step: bytes are equal",
        resize=resize, blur=blur,
        grey=dict(cube=sha(grey_cube), noise=sha(grey_noise)), dhash=dhash), f, indent=None, separators=(",", ":"))
    f.write("\n")
