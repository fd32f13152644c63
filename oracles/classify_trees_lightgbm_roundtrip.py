"""Loads a model file that classify wrote into the real LightGBM and prints its raw scores, one a line.

usage: classify_trees_lightgbm_roundtrip.py MODEL.txt ROWS.txt
"""
import sys

import lightgbm as lgb
import numpy as np

model, rows = sys.argv[1:]
booster = lgb.Booster(model_file=model)
for score in booster.predict(np.loadtxt(rows, ndmin=2), raw_score=True):
    print(repr(float(score)))
