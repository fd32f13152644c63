"""The training recipe's parts by PyTorch -> finetune/testdata/oracle/recipe.json: mirror image, rotation, scale and
shift by torchvision's affine (bilinear, black outside) in float64; learning rates by LinearLR and CosineAnnealingLR;
balanced class weights by scikit-learn.

The images come from their names and positions alone (nn_densenet.py).
"""

import json
import math
import pathlib

import numpy as np
import sklearn
import torch
import torchvision
import torchvision.transforms.functional as F
from sklearn.utils.class_weight import compute_class_weight

from nn_densenet import uniform

OUT = pathlib.Path(__file__).parent.parent / "finetune" / "testdata" / "oracle" / "recipe.json"
WARPS = [  # side, mirrored, degrees, scale, px right, px down
    (16, True, 0.0, 1.0, 0.0, 0.0),
    (17, False, 0.0, 1.0, 2.0, -3.0),
    (16, False, 0.0, 1.2, 0.0, 0.0),
    (17, False, 12.5, 1.0, 0.0, 0.0),
    (16, True, -9.0, 0.87, 1.3, -0.6),
    (19, False, 33.0, 1.31, -2.7, 3.1),
]
SCHEDULES = [("constant", 12, 0), ("constant", 12, 4), ("cosine", 12, 0), ("cosine", 20, 4), ("cosine", 9, 1)]  # steps, warm-up
RATE = 3e-4
LABELS = [0] * 7 + [1] * 18


def warp(side, mirrored, degrees, scale, right, down):
    grey = np.floor(256 * uniform(f"crop {side}", side * side)).reshape(1, side, side)
    x = torch.from_numpy(grey)
    if mirrored:
        x = F.hflip(x)
    # torchvision rounds translations to whole pixels only for PIL images; angles are clockwise there and here.
    y = F.affine(x, angle=degrees, translate=[right, down], scale=scale, shear=[0.0, 0.0],
                 interpolation=F.InterpolationMode.BILINEAR)
    return {"side": side, "flip": mirrored, "degrees": degrees, "scale": scale, "dx": right, "dy": down,
            "out": [round(float(v), 4) for v in y.flatten()]}


def rates(kind, steps, warm_up):
    p = torch.nn.Parameter(torch.zeros(1))
    opt = torch.optim.SGD([p], lr=RATE)
    sched = torch.optim.lr_scheduler
    main = sched.CosineAnnealingLR(opt, T_max=steps - warm_up) if kind == "cosine" else sched.LambdaLR(opt, lambda _: 1.0)
    if warm_up > 0:
        start = sched.LinearLR(opt, start_factor=1 / warm_up, total_iters=max(1, warm_up - 1))
        main = sched.SequentialLR(opt, [start, main], milestones=[warm_up])
    out = []
    for _ in range(steps):
        out.append(opt.param_groups[0]["lr"])
        opt.step()
        main.step()
    return {"schedule": kind, "steps": steps, "warm_up": warm_up, "rates": out}


def main():
    weights = compute_class_weight("balanced", classes=np.array([0, 1]), y=np.array(LABELS))
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps({
        "recipe": "oracles/finetune_recipe.py",
        "versions": {"torch": torch.__version__, "torchvision": torchvision.__version__, "scikit-learn": sklearn.__version__},
        "tolerance": 1e-2,
        "reason": "greys of 0 to 255: coordinates are float32 in ours and torchvision's (1e-6 of the side times a step of "
                  "255 between neighbours), and the values are printed to 1e-4; rates and class weights are held to 1e-12, relative",
        "warps": [warp(*w) for w in WARPS],
        "rate": RATE,
        "schedules": [rates(*s) for s in SCHEDULES],
        "labels": LABELS,
        "class_weights": weights.tolist(),
    }) + "\n")
    assert math.isclose(weights[0], 25 / 14)


if __name__ == "__main__":
    main()
