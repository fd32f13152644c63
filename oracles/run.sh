#!/usr/bin/env bash
# Recomputes every golden value; oracles/README.md says what must be installed.
set -euo pipefail
cd "$(dirname "$0")/.."
DEBIAN_PYTHON=${DEBIAN_PYTHON:-/usr/bin/python3}
VENV_PYTHON=${VENV_PYTHON:-.oracles/bin/python}

for s in imaging_decode imaging_resize roi_geometry nn_densenet nn_loss nn_training explain_gradcam finetune_recipe audit_figures weights_pth selection_deep classify_trees_sklearn harmonise_combat evaluate_vennabers clinical_separation; do
	echo "$s"
	"$DEBIAN_PYTHON" "oracles/$s.py"
done
for s in cohort_table features_npy roi_masks weights_safetensors selection_lasso classify_linear_sklearn classify_trees_lightgbm survival_auc; do
	echo "$s"
	"$VENV_PYTHON" "oracles/$s.py"
done
for s in describe_tails describe_tests evaluate_scores evaluate_measures evaluate_multiple selection_glmnet survival_models survival_evidence describe_odds evaluate_subgroups agreement_icc harmonise_combat clinical_logistic impute_mice; do
	echo "$s"
	Rscript "oracles/$s.R"
done
PYTHON312=${PYTHON312:-python3.12}
echo samplesize_riley
"$PYTHON312" oracles/samplesize_riley.py
"$DEBIAN_PYTHON" oracles/evaluate_measures.py # reads the scores that R wrote
