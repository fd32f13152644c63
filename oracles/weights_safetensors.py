#!/usr/bin/env python3
"""Files written by the safetensors library: one that our writer must match byte by byte, one with all number types.

Run from the root with a python that has safetensors and numpy: writes weights/testdata/*.safetensors and
testdata/oracle/safetensors.json. Tensor k of the sorted names holds ((37 i + 11 k) mod 101 - 50)/64.
"""
import hashlib, json, sys
import numpy as np, safetensors
from safetensors import numpy as st

OUT = "weights/testdata/"


def values(k, n):
    return (((np.arange(n) * 37 + k * 11) % 101 - 50) / 64).astype("<f4")


def main():
    shapes = {"a.weight": (2, 3, 1, 1), "b.bias": (5,), "c<&>\u00e9.scalar": (), "d.empty": (0, 4)}
    same = {name: values(k, int(np.prod(s))).reshape(s) for k, (name, s) in enumerate(sorted(shapes.items()))}
    st.save_file(same, OUT + "same.safetensors", metadata={"format": "pt"})
    data = {name: (values(k, 24) if dtype[1] == "f" else np.arange(24)).astype(dtype)
            for k, (name, dtype) in enumerate([("f64", "<f8"), ("f32", "<f4"), ("f16", "<f2"), ("count", "<i8"), ("flags", "u1")])}
    data["bf16"] = (values(9, 24).view("<u4") >> 16).astype("<u2")
    spec = lambda name, a: safetensors.TensorSpec(dtype="bfloat16" if name == "bf16" else a.dtype.name, shape=[4, 6], data_ptr=a.ctypes.data, data_len=a.nbytes)
    raw = safetensors.serialize({name: spec(name, a) for name, a in data.items()})
    open(OUT + "types.safetensors", "wb").write(raw)
    want = {name: {"shape": [4, 6], "sha256": hashlib.sha256(values(k, 24).tobytes()).hexdigest()} for name, k in [("f64", 0), ("f32", 1), ("f16", 2), ("bf16", 9)]}
    doc = {"meta": {"recipe": "oracles/weights_safetensors.py", "versions": {"safetensors": safetensors.__version__, "numpy": np.__version__, "python": sys.version.split()[0]}, "tolerance": 0, "reason": "same bytes; conversions are exact for these values"},
           "types": want}
    json.dump(doc, open(OUT + "oracle/safetensors.json", "w"), separators=(",", ":"))


if __name__ == "__main__":
    main()
