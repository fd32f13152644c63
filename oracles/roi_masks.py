#!/usr/bin/env python3
"""Mask files as ITK, nibabel, pynrrd and Pillow write them, and what ITK reads from them.

Needs: pip install SimpleITK nibabel pynrrd pillow numpy. Writes roi/testdata/masks/* and
roi/testdata/oracle/masks.json. The mask is shape(), which roi/oracle_test.go repeats.
"""
import gzip
import hashlib
import json
import os

import nibabel
import nrrd
import numpy as np
import PIL
import SimpleITK as sitk
from PIL import Image

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "roi", "testdata")
DIR = os.path.join(HERE, "masks")
os.makedirs(DIR, exist_ok=True)
os.makedirs(os.path.join(HERE, "oracle"), exist_ok=True)
W, H = 37, 23
sitk.ProcessObject.SetGlobalWarningDisplay(False)


def shape():
    """A lopsided blob, so that a flip or a transposition shows: rows of Y, columns of X."""
    y, x = np.mgrid[0:H, 0:W]
    return (((x - 12) ** 2 + 3 * (y - 8) ** 2 < 120) | ((x > 20) & (x < 33) & (y == 9))).astype(np.uint8)


def sha(a):
    return hashlib.sha256(np.ascontiguousarray(a).astype(np.uint8).tobytes()).hexdigest()


m = shape()
files, bad = [], []


def add(name, mask=m, labels=(1,), spacing=(0, 0), nonbinary=False, slice=1, slices=1, fmt="nifti", rule="value >= 0.5", itk=True):
    if itk:  # the expectation is what ITK reads, not what was meant
        got = sitk.GetArrayFromImage(sitk.ReadImage(os.path.join(DIR, name)))
        got = got[slice - 1] if got.ndim == 3 else got
        assert got.shape == (H, W) and np.array_equal(got >= 0.5, mask > 0), name
    files.append(dict(file=name, sha256=sha(mask), labels=list(labels), spacing=list(spacing), non_binary=nonbinary,
                      slice=slice, slices=slices, format=fmt, rule=rule, area=int((mask > 0).sum())))


def itk(name, a, spacing, compress, **kw):
    im = sitk.GetImageFromArray(a)
    im.SetSpacing(spacing)
    sitk.WriteImage(im, os.path.join(DIR, name), useCompression=compress)
    add(name, spacing=spacing[:2], **kw)


itk("itk.nii.gz", m[None], (0.1, 0.2, 1.0), True)
itk("itk-uint16.nii", m[None].astype(np.uint16), (0.07, 0.07, 1.0), False)
itk("itk-2d.nii.gz", m, (0.1, 0.2), True)
itk("itk.nrrd", m[None].astype(np.int16), (0.1, 0.2, 1.0), True, fmt="nrrd")
itk("itk.nhdr", m[None], (0.1, 0.2, 1.0), False, fmt="nrrd")
itk("itk.mha", m[None], (0.1, 0.2, 1.0), True, fmt="metaimage")
itk("itk-float.mha", m[None].astype(np.float32), (0.1, 0.2, 1.0), False, fmt="metaimage")
itk("itk.mhd", m[None].astype(np.int32), (0.1, 0.2, 1.0), True, fmt="metaimage")
im = sitk.GetImageFromArray(m[None])
sitk.WriteImage(im, os.path.join(DIR, "itk-nospacing.nii.gz"))
add("itk-nospacing.nii.gz")
two = m.copy(); two[:, 20:] *= 3
sitk.WriteImage(sitk.GetImageFromArray(two[None]), os.path.join(DIR, "itk-labels.nii.gz"))
add("itk-labels.nii.gz", labels=(1, 3), nonbinary=True)


def nib(name, a, zooms=(1, 1, 1), order="<", dtype=np.uint8, units="mm", slope=None, ext=None, **kw):
    """a is rows x columns or slices x rows x columns; nibabel wants columns first."""
    h = nibabel.Nifti1Header(endianness=order)
    h.set_data_dtype(dtype)
    im = nibabel.Nifti1Image(a.T.astype(dtype), None, h)
    im.header.set_zooms(zooms[: a.ndim])
    im.header.set_xyzt_units(units)
    if ext:
        im.header.extensions.append(nibabel.nifti1.Nifti1Extension("comment", ext))
    path = os.path.join(DIR, name)
    nibabel.save(im, path)
    if slope:  # patch after writing: the stored values stay as they are
        raw = gzip.decompress(open(path, "rb").read()) if name.endswith("gz") else open(path, "rb").read()
        raw = bytearray(raw)
        raw[112:120] = np.array(slope, order + "f4").tobytes()
        with open(path, "wb") as f:
            f.write(gzip.compress(bytes(raw), mtime=0) if name.endswith("gz") else bytes(raw))
    add(name, **kw)


nib("nib-big-endian.nii", m, (0.1, 0.3), ">", np.int16, spacing=(0.1, 0.3))
nib("nib-micron.nii.gz", m, (80, 90), units="micron", spacing=(0.08, 0.09))
nib("nib-extension.nii.gz", m[None], (0.1, 0.2, 1), ext=b"drawn by reader 1" * 9, spacing=(0.1, 0.2))
nib("nib-double.nii.gz", m, (0.1, 0.2), dtype=np.float64, spacing=(0.1, 0.2))
nib("nib-scaled.nii", m * 100, (0.1, 0.2), dtype=np.int16, slope=(0.01, 0), spacing=(0.1, 0.2))
nib("nib-inter.nii", m * 2 + 4, (0.1, 0.2), dtype=np.uint8, slope=(0.5, -2), spacing=(0.1, 0.2))
nib("nib-uint32-be.nii", m, (0.1, 0.2), ">", np.uint32, spacing=(0.1, 0.2))
nib("nib-int8.nii", m, (0.1, 0.2), "<", np.int8, spacing=(0.1, 0.2))
nib("nib-int64.nii.gz", m, (0.1, 0.2), "<", np.int64, spacing=(0.1, 0.2))
stack = np.zeros((5, H, W), np.uint8); stack[2] = m
nib("nib-slice3.nii.gz", stack, (0.1, 0.2, 1), slice=3, slices=5, spacing=(0.1, 0.2))
empty = np.zeros((H, W), np.uint8)
nib("nib-empty.nii.gz", empty, (0.1, 0.2), mask=empty, labels=(), spacing=(0.1, 0.2))
prob = m * 0.75 + 0.2 * (1 - m)
nib("nib-probability.nii.gz", prob, (0.1, 0.2), dtype=np.float32, labels=[float(np.float32(0.2)), 0.75], nonbinary=True, spacing=(0.1, 0.2))


def pynrrd(name, a, header, **kw):
    nrrd.write(os.path.join(DIR, name), a.T, header, index_order="F")
    add(name, fmt="nrrd", **kw)


pynrrd("pynrrd-ascii.nrrd", m, dict(encoding="ascii", spacings=[0.1, 0.2], units=["mm", "mm"]), spacing=(0.1, 0.2))
pynrrd("pynrrd-big.nrrd", m.astype(">i2"), dict(encoding="raw", endian="big", spacings=[0.01, 0.02], units=["cm", "cm"]), spacing=(0.1, 0.2), itk=True)
pynrrd("pynrrd-gzip.nhdr", m[None], {"encoding": "gzip", "space": "left-posterior-superior",
       "space directions": [[0, 0.1, 0], [0.2, 0, 0], [0, 0, 1]], "Segment0_Name": "tumour"}, spacing=(0.1, 0.2))

H8 = m * 255


def png(name, img, **kw):
    img.save(os.path.join(DIR, name))
    kw.setdefault("labels", (255,)); kw.setdefault("rule", "value >= 128")
    add(name, fmt=kw.pop("fmt", "png"), itk=False, **kw)


png("grey.png", Image.fromarray(H8))
png("bit1.png", Image.fromarray(H8 > 0))
png("labels.png", Image.fromarray(m), labels=(1,), rule="value >= 1 (label map)")
png("labels2.png", Image.fromarray(two), labels=(1, 3), nonbinary=True, rule="value >= 1 (label map)")
pal = Image.fromarray(m, "P"); pal.putpalette([0, 0, 0, 128, 0, 0] + [0] * 762)
png("palette.png", pal, labels=(38,), rule="value >= 1 (label map)")
png("rgb.png", Image.fromarray(np.dstack([H8] * 3)))
rgba = np.dstack([H8, H8, H8, H8]); rgba[0, 0, 3] = 75
png("alpha.png", Image.fromarray(rgba), labels=(75, 255), nonbinary=True, rule="alpha >= 128")
white = np.dstack([np.full((H, W), 255, np.uint8)] * 3 + [H8])
png("alpha-white.png", Image.fromarray(white), rule="alpha >= 128")
png("opaque.png", Image.fromarray(np.dstack([H8, H8, H8, np.full((H, W), 255, np.uint8)])))
Image.fromarray(m.astype(np.uint16)).save(os.path.join(DIR, "labels16.png")); add("labels16.png", fmt="png", labels=(1,), rule="value >= 1 (label map)", itk=False)
Image.fromarray(m.astype(np.uint16) * 65535).save(os.path.join(DIR, "full16.png")); add("full16.png", fmt="png", labels=(65535,), rule="value >= 32768", itk=False)
png("soft.png", Image.fromarray((m * 155 + 100).astype(np.uint8)), labels=(100, 255), nonbinary=True)
png("grey.bmp", Image.fromarray(H8), fmt="bmp")
png("grey.tif", Image.fromarray(H8), fmt="tiff")

# Files that must be refused.
stack[4] = m
nibabel.save(nibabel.Nifti1Image(stack.T, np.eye(4)), os.path.join(DIR, "bad-two-slices.nii.gz")); bad.append("bad-two-slices.nii.gz")
nibabel.save(nibabel.Nifti1Image(np.zeros((W, H, 1, 2), np.uint8), np.eye(4)), os.path.join(DIR, "bad-4d.nii.gz")); bad.append("bad-4d.nii.gz")
nibabel.save(nibabel.Nifti2Image(m.T, np.eye(4)), os.path.join(DIR, "bad-nifti2.nii")); bad.append("bad-nifti2.nii")
sitk.WriteImage(sitk.GetImageFromArray(np.dstack([H8] * 3)[None], isVector=True), os.path.join(DIR, "bad-rgb.mha")); bad.append("bad-rgb.mha")
sitk.WriteImage(sitk.GetImageFromArray(np.dstack([H8] * 3)[None], isVector=True), os.path.join(DIR, "bad-rgb.nrrd")); bad.append("bad-rgb.nrrd")

header = gzip.decompress(open(os.path.join(DIR, "itk.nii.gz"), "rb").read())[:352]
with open(os.path.join(HERE, "oracle", "masks.json"), "w") as f:
    json.dump(dict(recipe="oracles/roi_masks.py",
                   versions=dict(SimpleITK=sitk.Version.VersionString(), nibabel=nibabel.__version__, pynrrd=nrrd.__version__,
                                 pillow=PIL.__version__, numpy=np.__version__),
                   tolerance=1e-6, reason="masks are equal; NIfTI and MetaImage spacings are float32 or printed decimals",
                   itk_header=header.hex(), files=files, bad=bad), f, indent=1)
    f.write("\n")
