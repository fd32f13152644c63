#!/usr/bin/python3
"""Small PyTorch files in all forms that the weights package reads, and what torch.load finds in them.

Run with Debian's python3 (torch 1.13) from the root: writes weights/testdata/*.pth and testdata/oracle/pth.json.
The values follow a formula, n/64 with |n| <= 50 (and 1 + n/64 for variances), which fp16 and bf16 hold exactly.
"""
import collections, hashlib, io, json, pickle, pickletools, re, struct, sys
import numpy as np, torch

OUT = "weights/testdata/"


def specs():
    bn = lambda p, n: [(f"{p}.{q}", (n,)) for q in ("weight", "bias", "running_mean", "running_var")] + [(f"{p}.num_batches_tracked", ())]
    s = [("features.conv0.weight", (4, 3, 2, 2))] + bn("features.norm0", 4)
    for layer in ("denseblock1.denselayer1", "denseblock3.denselayer12"):
        p = "features." + layer
        s += bn(p + ".norm1", 4) + [(p + ".conv1.weight", (8, 4, 1, 1))] + bn(p + ".norm2", 8) + [(p + ".conv2.weight", (2, 8, 3, 3))]
    s += bn("features.transition1.norm", 6) + [("features.transition1.conv.weight", (3, 6, 1, 1))] + bn("features.norm5", 3)
    return s + [("classifier.weight", (1, 3)), ("classifier.bias", (1,))]


def values(dtype=torch.float32):
    out = collections.OrderedDict()
    for k, (name, shape) in enumerate(specs()):
        if name.endswith("num_batches_tracked"):
            out[name] = torch.tensor(7 + k)
            continue
        i = np.arange(int(np.prod(shape)))
        v = ((i * 37 + k * 11) % 101 - 50) / 64 + name.endswith("running_var")
        out[name] = torch.tensor(v.reshape(shape)).to(dtype)
    return out


def old_names(d):
    return collections.OrderedDict((re.sub(r"(denselayer\d+\.(?:norm|conv))(\d)", r"\1.\2", k), v) for k, v in d.items())


def views():
    """Tensors that are parts of one storage, in several orders."""
    base = values()["features.denseblock1.denselayer1.conv2.weight"].reshape(-1).clone()
    d = collections.OrderedDict()
    d["slice"] = base[10:40].reshape(5, 6)
    d["transposed"] = base[:24].reshape(4, 6).t()
    d["every_third"] = base[1::3]
    d["expanded"] = base[3:4].expand(2, 5)
    d["channels_last"] = base.reshape(2, 8, 3, 3).contiguous(memory_format=torch.channels_last)
    d["scalar"] = base[5]
    d["empty"] = base[:0].reshape(0, 3)
    return d


def early(d):
    """The layout of torch 0.1 to 0.3 on Python 2: _rebuild_tensor, byte strings, parts of storages."""
    class Storage:
        def __init__(self, key, data): self.key, self.data = key, data
    class Tensor:
        def __init__(self, *args): self.args = args
        def __reduce__(self): return (torch._utils._rebuild_tensor, self.args)
    class P(pickle.Pickler):
        def persistent_id(self, x):
            if isinstance(x, Storage):
                return ("storage", torch.FloatStorage, x.key, "cuda:0", x.data.size + 2, ("view" + x.key, 2, x.data.size))
    stores, out = [], collections.OrderedDict()
    for i, (k, v) in enumerate(d.items()):
        if v.dtype == torch.float32:
            s = Storage(str(94000 + i), v.numpy().reshape(-1))
            stores.append(s)
            out[k] = Tensor(s, 0, tuple(v.shape), v.stride())
    b = io.BytesIO()
    P(b, 2).dump(out)
    parts = [pickle.dumps(x, 2) for x in (0x1950A86A20F9469CFC6C, 1001, dict(protocol_version=1001, little_endian=True, type_sizes=dict(short=2, int=4, long=4)))]
    keys = sorted(s.key for s in stores)
    parts += [byte_strings(b.getvalue()), pickle.dumps(keys, 2)]
    for key in keys:
        data = next(s.data for s in stores if s.key == key)
        parts.append(struct.pack("<q", data.size + 2) + np.concatenate([[9, 9], data]).astype("<f4").tobytes())
    return b"".join(parts)


def byte_strings(p):
    """Python 2's opcode for text."""
    out, ops = b"", list(pickletools.genops(p))
    for (op, arg, at), nxt in zip(ops, ops[1:] + [(None, None, len(p))]):
        raw = p[at:nxt[2]]
        out += b"U" + bytes([len(arg)]) + arg.encode() if op.name == "BINUNICODE" else raw
    return out


def describe(path):
    d = torch.load(path, map_location="cpu")
    d = d.get("state_dict", d)
    kept = {}
    for k, v in d.items():
        if v.is_floating_point():
            a = v.detach().to(torch.float32).contiguous().numpy().astype("<f4")
            k = re.sub(r"(denselayer\d+\.(?:norm|conv))\.(\d)", r"\1\2", re.sub("^module\\.", "", k))
            kept[k] = {"shape": list(a.shape), "sha256": hashlib.sha256(a.tobytes()).hexdigest()}
    return kept


def half_table():
    """All finite fp16 numbers in the order of their bits, as float32."""
    h = np.arange(65536, dtype=np.uint16).view(np.float16)
    return hashlib.sha256(h[np.isfinite(h)].astype("<f4").tobytes()).hexdigest()


def overall(d):
    """weights.Hash, written a second time."""
    h = hashlib.sha256()
    for k in sorted(d):
        a = d[k].numpy().astype("<f4")
        h.update(struct.pack("<q", len(k)) + k.encode() + struct.pack("<q", a.ndim) + struct.pack(f"<{a.ndim}q", *a.shape) + a.tobytes())
    return h.hexdigest()


def main():
    zip_, legacy = dict(_use_new_zipfile_serialization=True), dict(_use_new_zipfile_serialization=False)
    files = {
        "zip_new.pth": (values(), zip_), "zip_old.pth": (old_names(values()), zip_), "legacy_new.pth": (values(), legacy), "legacy_old.pth": (old_names(values()), legacy),
        "zip_f16.pth": (values(torch.float16), zip_), "legacy_bf16.pth": (values(torch.bfloat16), legacy), "zip_f64.pth": (values(torch.float64), zip_),
        "zip_views.pth": (views(), zip_), "legacy_views.pth": (views(), legacy), "zip_protocol4.pth": (values(), dict(zip_, pickle_protocol=4)),
        "zip_checkpoint.pth": ({"epoch": 3, "state_dict": collections.OrderedDict(("module." + k, torch.nn.Parameter(v)) for k, v in values().items() if v.dtype == torch.float32)}, zip_),
    }
    for name, (d, how) in files.items():
        torch.save(d, OUT + name, **how)
    open(OUT + "legacy_early.pth", "wb").write(early(values()))
    doc = {"meta": {"recipe": "oracles/weights_pth.py", "versions": {"torch": torch.__version__, "numpy": np.__version__, "python": sys.version.split()[0]}, "tolerance": 0, "reason": "conversions to float32 are exact for these values"},
           "files": {name: describe(OUT + name) for name in list(files) + ["legacy_early.pth"]},
           "half_sha256": half_table(), "hash": overall({k: v for k, v in values().items() if v.dtype == torch.float32})}
    json.dump(doc, open(OUT + "oracle/pth.json", "w"), separators=(",", ":"))


if __name__ == "__main__":
    main()
