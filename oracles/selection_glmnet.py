"""The tables of selection_glmnet.R as CSV: one folder argument. Run by selection_glmnet.R."""
import sys

import numpy as np

from selection_data import lasso_table

for name in ["breast_cancer", "wide", "imbalanced", "blocks"]:
    x, y, w, fold = lasso_table(name)
    np.savetxt(f"{sys.argv[1]}/{name}.csv", np.column_stack([y, w, fold, x]), delimiter=",", fmt="%.17g")
