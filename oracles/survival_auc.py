"""The cumulative/dynamic AUC and Uno's C of scikit-survival, on lung with ties of time broken (it weights cases by G at,
not just before, their time, which differs where an event and a censoring coincide). Run from the root:
    .oracles/bin/python oracles/survival_auc.py
Writes survival/testdata/oracle/auc.json."""
import csv, json, platform
import numpy as np, sksurv
from sksurv.metrics import concordance_index_ipcw, cumulative_dynamic_auc
from sksurv.util import Surv

rows = [r for r in csv.DictReader(open("survival/testdata/lung.csv"))]
time = np.array([float(r["time"]) for r in rows]) + np.arange(len(rows)) * 1e-4
event = np.array([r["event"] == "1" for r in rows])
age = np.array([float(r["age"]) for r in rows])
y = Surv.from_arrays(event, time)
times = [90.5, 180.5, 365.5, 730.5]
auc, _ = cumulative_dynamic_auc(y, y, age, times)
uno = [concordance_index_ipcw(y, y, age, tau=t)[0] for t in times]
json.dump({"recipe": "oracles/survival_auc.py", "versions": {"python": platform.python_version(), "scikit-survival": sksurv.__version__, "numpy": np.__version__},
           "tolerance": 1e-10, "reason": "the same sums in float64", "step": 1e-4, "time": times, "auc": [float(a) for a in auc], "uno": [float(u) for u in uno]},
          open("survival/testdata/oracle/auc.json", "w"))
