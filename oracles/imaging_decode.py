#!/usr/bin/python3
"""Small image files of many kinds and the grey pixels that OpenCV and Pillow read from them.

Writes imaging/testdata/*.{png,jpg,bmp,tif} and imaging/testdata/oracle/decode.json. Lossless colour files are
converted with cv2.cvtColor (the formula that imaging uses), not with imread's own grey path, which for PNG is libpng's.
"""
import hashlib
import json
import os

import cv2
import numpy as np
import PIL
from PIL import Image

HERE = os.path.join(os.path.dirname(__file__), "..", "imaging", "testdata")
os.makedirs(os.path.join(HERE, "oracle"), exist_ok=True)

y, x = np.mgrid[0:19, 0:29]
rgb = np.stack([(x * 9) % 256, (y * 13) % 256, (x * y) % 256], -1).astype(np.uint8)
grey = ((x * x + 3 * y) % 256).astype(np.uint8)
wide = (grey.astype(np.uint16) * 257) ^ 0x0035
files = []


def sha(a):
    return hashlib.sha256(np.ascontiguousarray(a).tobytes()).hexdigest()


def to_grey(a):
    return cv2.cvtColor(np.ascontiguousarray(a[..., :3]), cv2.COLOR_RGB2GRAY)


def add(name, want, exact=True):
    h, w = want.shape
    e = dict(file=name, w=w, h=h)
    if exact:
        e["sha256"] = sha(want)
    else:
        e["pixels"] = want.ravel().tolist()
    files.append(e)


def p(name):
    return os.path.join(HERE, name)


def save(name, a, mode=None, **kw):
    Image.fromarray(a, mode).save(p(name), **kw)


save("grey.png", grey); add("grey.png", grey)
save("rgb.png", rgb); add("rgb.png", to_grey(rgb))
rgba = np.dstack([rgb, (x * 8 % 256).astype(np.uint8)])
save("rgba.png", rgba); add("rgba.png", to_grey(rgba))
save("la.png", np.dstack([grey, rgba[..., 3]]), "LA"); add("la.png", grey)
pal = Image.fromarray(rgb).quantize(32); pal.save(p("palette.png")); add("palette.png", to_grey(np.array(pal.convert("RGB"))))
one = ((x + y) % 3 == 0); Image.fromarray(one).save(p("bit1.png")); add("bit1.png", one.astype(np.uint8) * 255)
cv2.imwrite(p("grey16.png"), wide); add("grey16.png", (wide >> 8).astype(np.uint8))
rgb16 = rgb.astype(np.uint16) * 257; cv2.imwrite(p("rgb16.png"), rgb16[..., ::-1]); add("rgb16.png", to_grey(rgb))
save("grey.bmp", grey); add("grey.bmp", grey)
save("rgb.bmp", rgb); add("rgb.bmp", to_grey(rgb))
save("grey.tif", grey, compression="tiff_lzw"); add("grey.tif", grey)
save("rgb.tif", rgb, compression="packbits"); add("rgb.tif", to_grey(rgb))
Image.fromarray(wide).save(p("grey16.tif"), compression="tiff_deflate"); add("grey16.tif", (wide >> 8).astype(np.uint8))
smooth = np.stack([(128 + 100 * np.sin(x / 9)), 128 + 90 * np.cos(y / 7), x * 5 + y], -1).clip(0, 255).astype(np.uint8)
for name, kw in [("rgb.jpg", dict(quality=92)), ("progressive.jpg", dict(quality=92, progressive=True)), ("rgb444.jpg", dict(quality=95, subsampling=0))]:
    save(name, smooth, **kw)
    add(name, to_grey(cv2.imread(p(name))[..., ::-1]), exact=False)
Image.fromarray(smooth).convert("L").save(p("grey.jpg"), quality=90)
add("grey.jpg", cv2.imread(p("grey.jpg"), cv2.IMREAD_GRAYSCALE), exact=False)

with open(os.path.join(HERE, "oracle", "decode.json"), "w") as f:
    json.dump(dict(recipe="oracles/imaging_decode.py",
                   versions=dict(opencv=cv2.__version__, pillow=PIL.__version__, numpy=np.__version__),
                   tolerance=3, reason="lossless files are equal (hash); Go's and libjpeg's inverse DCTs differ by up to 3 "
                   "levels (1 seen in these files)", files=files), f)
    f.write("\n")
