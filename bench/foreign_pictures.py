"""Foreign pictures for `sonotype predict`: python3 bench/foreign_pictures.py COHORT.csv OUT --pictures DIR... --organs DIR...

Writes OUT/table.csv with the columns image and mask for: pictures (photographs, drawings, screenshots) of any folder and
pictures of other organs (PNG, JPG; NIfTI volumes are cut into slices), all made grey and given the size and the outline of a
random image of the cohort, so that neither colour nor size nor outline gives them away; then empty, corrupted and made-up
pictures and impossible outlines, a few of each kind. The folder of a picture is its kind. Needs numpy and OpenCV.
"""
import argparse, csv, glob, gzip, os, struct
import cv2
import numpy as np

parser = argparse.ArgumentParser()
parser.add_argument("cohort")
parser.add_argument("out")
parser.add_argument("--pictures", nargs="*", default=[])
parser.add_argument("--organs", nargs="*", default=[])
parser.add_argument("--most", type=int, default=150, help="of the pictures, and of the organs")
parser.add_argument("--each", type=int, default=8, help="of every made-up kind")
args = parser.parse_args()
rng = np.random.default_rng(1)

home = os.path.dirname(args.cohort)
cases = [(os.path.join(home, r["image"]), os.path.join(home, r["mask"])) for r in csv.DictReader(open(args.cohort))]


def mask_of(path, shape):
    if ".nii" in path:
        v = slices_of(path)[0]
        v = v if v.shape == shape else v.T
        return (v > 0).astype(np.uint8)
    return (cv2.imread(path, cv2.IMREAD_GRAYSCALE) > 0).astype(np.uint8)


def slices_of(path):
    b = (gzip.open if path.endswith("gz") else open)(path, "rb").read()
    dim, kind, offset = struct.unpack("<8h", b[40:56]), struct.unpack("<h", b[70:72])[0], int(struct.unpack("<f", b[108:112])[0])
    shape = [max(1, d) for d in dim[1:4]]
    a = np.frombuffer(b, {2: np.uint8, 4: np.int16, 16: np.float32, 64: np.float64}[kind], int(np.prod(shape)), offset)
    return a.reshape(shape[::-1])


def case():
    image, mask = cases[rng.integers(len(cases))]
    g = cv2.imread(image, cv2.IMREAD_GRAYSCALE)
    return g, mask_of(mask, g.shape)


rows = []


def put(kind, image, mask):
    folder = os.path.join(args.out, kind.replace(":", "").replace(" ", "-"))
    os.makedirs(folder, exist_ok=True)
    name = "%s/%04d" % (folder, len(rows))
    cv2.imwrite(name + ".png", np.clip(image, 0, 255).astype(np.uint8))
    cv2.imwrite(name + "-mask.png", mask * 255)
    rows.append((os.path.relpath(name + ".png", args.out), os.path.relpath(name + "-mask.png", args.out)))


def foreign(kind, picture):
    g, m = case()
    put(kind, cv2.resize(picture, (g.shape[1], g.shape[0]), interpolation=cv2.INTER_AREA), m)


def found(folders, endings):
    files = sorted(f for d in folders for f in glob.glob(d + "/**/*", recursive=True) if f.lower().endswith(endings))
    return files[:: max(1, len(files) // args.most)]


for f in found(args.pictures, (".png", ".jpg", ".jpeg")):
    foreign("picture", cv2.imread(f, cv2.IMREAD_GRAYSCALE))
for f in found(args.organs, (".png", ".jpg", ".jpeg")):
    foreign("other organ", cv2.imread(f, cv2.IMREAD_GRAYSCALE))
for f in found(args.organs, (".nii", ".nii.gz")):
    v = slices_of(f).astype(float)
    for axis in range(3):
        for k in range(v.shape[axis] // 4, 3 * v.shape[axis] // 4, max(1, v.shape[axis] // 8)):
            foreign("other organ", np.take(v, k, axis)[::-1] / v.max() * 255)


def tiles(n):
    def make(g, m):
        h, w = g.shape[0] // n, g.shape[1] // n
        out = g.copy()
        for k, q in enumerate(rng.permutation(n * n)):
            out[k // n * h:(k // n + 1) * h, k % n * w:(k % n + 1) * w] = g[q // n * h:(q // n + 1) * h, q % n * w:(q % n + 1) * w]
        return out
    return make


def cut(value):
    def make(g, m):
        rows = np.where(m.any(1))[0]
        out = g.copy()
        out[(rows[0] + rows[-1]) // 2:] = value
        return out
    return make


def text(back, ink):
    def make(g, m):
        out = np.full(g.shape, float(back))
        for y in range(14, g.shape[0], 18):
            words = "".join(chr(rng.integers(97, 123)) if rng.random() > 0.2 else " " for _ in range(g.shape[1] // 9))
            cv2.putText(out, words, (4, y), cv2.FONT_HERSHEY_SIMPLEX, 0.45, ink, 1)
        return out
    return make


def clouds(g, m):
    out = np.zeros(g.shape)
    for step in (128, 64, 32, 16, 8, 4):
        out += step * cv2.resize(rng.random((g.shape[0] // step + 2, g.shape[1] // step + 2)), (g.shape[1], g.shape[0]))
    return (out - out.min()) / (out.max() - out.min()) * 255


def ramp(g, down):
    return np.tile(np.linspace(255, 0, g.shape[0])[:, None], (1, g.shape[1])) if down else np.tile(np.linspace(0, 255, g.shape[1]), (g.shape[0], 1))


def grid(g):
    return np.indices(g.shape)


kinds = {
    "empty: one grey": lambda g, m: np.full(g.shape, rng.integers(256)),
    "empty: ramp across": lambda g, m: ramp(g, False),
    "empty: ramp down": lambda g, m: ramp(g, True),
    "empty: too dark": lambda g, m: g / 8.0,
    "corrupted: white noise": lambda g, m: rng.integers(0, 256, g.shape),
    "corrupted: noisy": lambda g, m: g + 60 * rng.standard_normal(g.shape),
    "corrupted: salt and pepper": lambda g, m: np.where(rng.random(g.shape) < 0.25, 255.0 * rng.integers(0, 2, g.shape), g),
    "corrupted: inverted": lambda g, m: 255.0 - g,
    "corrupted: overexposed": lambda g, m: 3.0 * g + 80,
    "corrupted: two greys": lambda g, m: np.where(g > 80, 255, 0),
    "corrupted: wrong width": lambda g, m: np.resize(g, (g.shape[0], g.shape[1] + 7))[:, : g.shape[1]],
    "corrupted: rows shuffled": lambda g, m: g[rng.permutation(g.shape[0])],
    "corrupted: 8 x 8 tiles shuffled": tiles(8),
    "corrupted: 16 x 16 tiles shuffled": tiles(16),
    "corrupted: cut off, grey": cut(128),
    "corrupted: cut off, black": cut(0),
    "corrupted: cut off, white": cut(255),
    "corrupted: blurred": lambda g, m: cv2.blur(cv2.blur(g, (31, 31)), (31, 31)),
    "corrupted: pixelated": lambda g, m: g[grid(g)[0] // 16 * 16, grid(g)[1] // 16 * 16],
    "made up: text on white": text(255, 0),
    "made up: text on black": text(0, 220),
    "made up: checkerboard": lambda g, m: (grid(g)[0] // 24 + grid(g)[1] // 24) % 2 * 220,
    "made up: stripes": lambda g, m: 110 + 100 * np.sin((grid(g)[0] + grid(g)[1]) / 6),
    "made up: clouds": clouds,
    "made up: Rayleigh speckle": lambda g, m: 60 * np.sqrt(2 * rng.exponential(size=g.shape)),
}
for kind, make in kinds.items():
    for _ in range(args.each):
        g, m = case()
        put(kind, make(g, m), m)


def ellipse(g, x, y, rx, ry):
    return cv2.ellipse(np.zeros(g.shape, np.uint8), (int(x), int(y)), (int(rx), int(ry)), 0, 0, 360, 1, -1)


outlines = {
    "outline: tiny": lambda g, w, h: ellipse(g, w * rng.uniform(0.2, 0.8), h * rng.uniform(0.2, 0.8), 3, 3),
    "outline: huge": lambda g, w, h: ellipse(g, w / 2, h / 2, 0.48 * w, 0.48 * h),
    "outline: all": lambda g, w, h: np.ones(g.shape, np.uint8),
    "outline: a line": lambda g, w, h: ellipse(g, w / 2, h / 2, 0.4 * w, 3),
    "outline: at the lower edge": lambda g, w, h: ellipse(g, w / 2, h - 8, 0.1 * w, 0.1 * h),
    "outline: scattered": lambda g, w, h: (rng.random(g.shape) < 0.1).astype(np.uint8),
}
for kind, make in outlines.items():
    for _ in range(args.each):
        g, _m = case()
        put(kind, g, make(g, g.shape[1], g.shape[0]))

with open(os.path.join(args.out, "table.csv"), "w", newline="") as f:
    w = csv.writer(f)
    w.writerow(["image", "mask"])
    w.writerows(rows)
print(len(rows), "pictures")
