#!/usr/bin/env python3
"""Feature files by numpy: the bytes that our writer must give, and other .npy files that must be read or refused.

Run from the root: writes features/testdata/*.npy and testdata/oracle/npy.json. Element (i, j) is i - j/8.
"""
import hashlib, io, json, sys
import numpy as np
from numpy.lib import format as npy

OUT = "features/testdata/"
table = lambda n, p, t="<f4": (np.arange(n)[:, None] - np.arange(p)[None, :] / 8).astype(t)


def saved(a):
    b = io.BytesIO()
    np.save(b, a)
    return b.getvalue()


def main():
    np.save(OUT + "table.npy", table(3, 5))
    np.save(OUT + "float64.npy", table(3, 5, "<f8"))
    np.save(OUT + "fortran.npy", np.asfortranarray(table(3, 5)))
    np.save(OUT + "vector.npy", table(1, 5)[0])
    np.save(OUT + "big_endian.npy", table(3, 5, ">f4"))
    with open(OUT + "version2.npy", "wb") as f:
        npy.write_array(f, table(3, 5), version=(2, 0))
    shapes = [(0, 4), (1, 1), (3, 5), (557, 33), (1000, 7), (12345, 2)]
    doc = {"meta": {"recipe": "oracles/features_npy.py", "versions": {"numpy": np.__version__, "python": sys.version.split()[0]}, "tolerance": 0, "reason": "same bytes"},
           "saved": [{"n": n, "p": p, "sha256": hashlib.sha256(saved(table(n, p))).hexdigest()} for n, p in shapes]}
    json.dump(doc, open(OUT + "oracle/npy.json", "w"), separators=(",", ":"))


if __name__ == "__main__":
    main()
