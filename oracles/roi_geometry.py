#!/usr/bin/python3
"""Distances, growth, readers' agreement, whole geometries and normalisation from SciPy, OpenCV and torchvision.

Writes roi/testdata/oracle/geometry.json. Inputs are blob() and pattern(), which roi/oracle_test.go repeats.
"""
import hashlib
import json
import math
import os

import cv2
import numpy as np
import scipy
import torch
import torchvision
from scipy import ndimage

OUT = os.path.join(os.path.dirname(__file__), "..", "roi", "testdata", "oracle", "geometry.json")


def blob(w, h, cx, cy, rx, ry):
    """A lopsided region: an ellipse with its lower right quarter pulled out."""
    y, x = np.mgrid[0:h, 0:w]
    dx, dy = x - cx, y - cy
    e = dx * dx * ry * ry + dy * dy * rx * rx
    big = np.where((dx > 0) & (dy > 0), 2, 1)
    return (e <= rx * rx * ry * ry * big).astype(np.uint8)


def pattern(w, h):
    x = np.arange(w, dtype=np.int64)[None, :]
    y = np.arange(h, dtype=np.int64)[:, None]
    return (((x * x + 3 * x * y + 2 * y * y) // 64 + 1) & 255).astype(np.uint8)


def sha(a):
    return hashlib.sha256(np.ascontiguousarray(a).tobytes()).hexdigest()


def surface(m):
    return m & ~ndimage.binary_erosion(m)


def grow(m, r, spacing):
    d = ndimage.distance_transform_edt(m == 0, sampling=(spacing[1], spacing[0]))
    return (d <= r * (1 + 1e-9)).astype(np.uint8)


blobs = [(120, 90, 50, 40, 20, 14), (120, 90, 5, 80, 20, 14), (64, 64, 30, 30, 1, 1), (200, 60, 100, 30, 90, 20), (31, 77, 15, 40, 14, 9)]
growth = []
for b in blobs:
    for r, sp in [(1, (1, 1)), (10, (1, 1)), (7.5, (1, 1)), (2.5, (0.1, 0.17)), (1.0, (0.1, 0.1)), (0.9, (0.3, 0.05))]:
        g = grow(blob(*b), r, sp)
        growth.append(dict(blob=b, radius=r, spacing=sp, area=int(g.sum()), sha256=sha(g)))

agree = []
for a, b in [(blobs[0], (120, 90, 52, 43, 22, 12)), (blobs[0], blobs[0]), (blobs[0], blobs[1]), (blobs[0], (120, 90, 90, 70, 5, 5))]:
    for sp in [(1, 1), (0.1, 0.17)]:
        A, B = blob(*a).astype(bool), blob(*b).astype(bool)
        sa, sb = surface(A), surface(B)
        da = ndimage.distance_transform_edt(~sb, sampling=sp[::-1])[sa]
        db = ndimage.distance_transform_edt(~sa, sampling=sp[::-1])[sb]
        agree.append(dict(a=a, b=b, spacing=sp, dice=2 * (A & B).sum() / (A.sum() + B.sum()),
                          hd95=max(np.percentile(da, 95), np.percentile(db, 95))))

INTERP = dict(linear=cv2.INTER_LINEAR, cubic=cv2.INTER_CUBIC, area=cv2.INTER_AREA)


def fit_within(w, h, mw, mh):
    if w * mh >= h * mw:
        return mw, min(mh, max(1, math.floor(h * mw / w + 0.5)))
    return min(mw, max(1, math.floor(w * mh / h + 0.5))), mh


def pad(a, w, h):
    out = np.zeros((h, w), np.uint8)
    x, y = (w - a.shape[1]) // 2, (h - a.shape[0]) // 2
    out[y:y + a.shape[0], x:x + a.shape[1]] = a
    return out


def cut(img, m, g):
    y, x = np.nonzero(m)
    bx, by, bw, bh = x.min(), y.min(), np.ptp(x) + 1, np.ptp(y) + 1
    side = max(bw, bh) + 2 * g["frame"]
    x0, y0 = bx - (side - bw) // 2, by - (side - bh) // 2
    big = img if g["context"] == "box" else img * m
    big = np.pad(big, side)
    c = big[y0 + side:y0 + 2 * side, x0 + side:x0 + 2 * side]
    return [int(x0), int(y0), int(side), int(side)], cv2.resize(c, (g["input"], g["input"]), interpolation=cv2.INTER_LINEAR)


def prepare(img, m, spacing, crop, g):
    l, t, r, b = crop
    h, w = img.shape
    img, m = img[t:h - b, l:w - r], m[t:h - b, l:w - r]
    h, w = img.shape
    nw, nh = (g["width"], g["height"]) if g["fit"] == "stretch" else fit_within(w, h, g["width"], g["height"])
    im = cv2.blur(cv2.resize(img, (nw, nh), interpolation=INTERP[g["interp"]]), (g["mean_filter"],) * 2)
    im = pad(im, g["width"], g["height"])
    ta = pad(cv2.resize(m, (nw, nh), interpolation=cv2.INTER_NEAREST), g["width"], g["height"])
    px = (spacing[0] * w / nw, spacing[1] * h / nh)
    grown = grow(ta, g["growth"], px if g["growth_unit"] == "mm" else (1, 1))
    grown &= pad(np.ones((nh, nw), np.uint8), g["width"], g["height"])
    pta = grown - ta if g["pta"] == "ring" else grown
    ta_box, ta_crop = cut(im, ta, g)
    pta_box, pta_crop = cut(im, pta, g)
    return dict(image=sha(im), ta=sha(ta), pta=sha(pta), ta_box=ta_box, pta_box=pta_box, ta_crop=sha(ta_crop), pta_crop=sha(pta_crop),
                ta_area=int(ta.sum()), pta_area=int(pta.sum()))


base = dict(width=960, height=720, fit="pad", interp="linear", mean_filter=3, growth=10, growth_unit="px", pta="ring",
            context="masked", frame=2, input=224)
cases = []
for b, crop, change in [
    ((485, 537, 200, 260, 90, 60), (0, 0, 0, 0), {}),
    ((485, 537, 200, 260, 90, 60), (0, 0, 0, 0), dict(fit="stretch")),
    ((274, 353, 130, 60, 60, 50), (10, 5, 20, 31), dict(fit="stretch", interp="cubic", mean_filter=5)),
    ((274, 353, 40, 60, 60, 50), (10, 5, 20, 31), dict(context="box", frame=7)),  # reaches the border
    ((1024, 618, 500, 300, 200, 120), (0, 0, 0, 0), dict(interp="area", growth=1.5, growth_unit="mm")),
    ((1024, 618, 500, 300, 200, 120), (0, 40, 0, 40), dict(fit="stretch", growth=2, growth_unit="mm", pta="whole")),
    ((960, 720, 400, 400, 3, 2), (0, 0, 0, 0), dict(mean_filter=1, growth=3)),
    ((300, 400, 10, 390, 40, 30), (0, 0, 0, 0), dict(input=128, growth=25, frame=0)),
    ((1500, 400, 700, 200, 300, 120), (0, 0, 0, 0), dict(width=640, height=480)),
]:
    g = dict(base, **change)
    img, m = pattern(b[0], b[1]), blob(*b)
    sp = (0.08, 0.09)
    cases.append(dict(blob=b, spacing=sp, crop=crop, geometry=g, want=prepare(img, m, sp, crop, g)))

ramp = torch.arange(256, dtype=torch.uint8).reshape(1, 16, 16).numpy()[0]
t = torchvision.transforms.functional.to_tensor(np.dstack([ramp] * 3))
t = torchvision.transforms.functional.normalize(t, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225])

with open(OUT, "w") as f:
    json.dump(dict(recipe="oracles/roi_geometry.py",
                   versions=dict(scipy=scipy.__version__, opencv=cv2.__version__, numpy=np.__version__, torch=torch.__version__,
                                 torchvision=torchvision.__version__),
                   tolerance=1e-9, reason="masks, crops and normalised values are equal (hashes); Dice and Hausdorff differ by rounding only",
                   growth=growth, agreement=agree, cases=cases, normalised=sha(t.numpy().astype("<f4"))), f, indent=1)
    f.write("\n")
