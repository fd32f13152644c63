"""Shared by peer_study.py and peer_models.py: what they read of a run's folder."""
import csv
import json
import os

import numpy as np

REGIONS = ("ta", "pta")


class Run:
    """The plan, the images with their crops, and the network's split of a run."""

    def __init__(self, folder):
        self.folder = folder
        with open(os.path.join(folder, "plan.json")) as f:
            self.plan = json.load(f)
        self.network = self.plan["network"]
        self.train = self.network["train"]
        rows = self.table("02-roi/images.csv")
        self.patient = np.array([r["patient_id"] for r in rows])
        self.unit = np.array([r["unit"] for r in rows])
        self.set = np.array([r["set"] for r in rows])
        self.label = np.array([int(r["label"]) for r in rows])
        self.source = np.array([int(r["source"]) for r in rows])
        part = {r["patient_id"]: r["part"] for r in self.table("03-finetune/split.csv")}
        self.part = np.array([part.get(p, "") for p in self.patient])  # train | heldout | "" outside the training set

    def table(self, path):
        with open(os.path.join(self.folder, path), newline="") as f:
            return list(csv.DictReader(f))

    def crops(self, region):
        """Grey crops, images x side x side, of the images in images.csv."""
        side = self.network["input"]
        path = os.path.join(self.folder, "02-roi", region + ".u8")
        return np.memmap(path, np.uint8, "r").reshape(-1, side, side)[self.source]


def pool(values, units):
    """The mean value of each unit, in order of first appearance, with the position of the unit's first image."""
    _, first, at = np.unique(units, return_index=True, return_inverse=True)
    mean = np.bincount(at, values) / np.bincount(at)
    order = np.argsort(first)
    return mean[order], first[order]
