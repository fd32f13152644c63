package study

import (
	"sonotype/internal/num"
	"sonotype/report"
)

// published holds the figures of the study whose method the presets follow (Sci Rep 2025, doi 10.1038/s41598-025-94741-4).
// They describe another, private cohort: the report prints them in grey and nothing is ever tuned to them.
// Columns: AUC, its 95 % interval, accuracy, sensitivity, specificity, F1.
func published() []report.PublishedRow {
	row := func(set, features, model string, auc, lo, hi, acc, sens, spec, f1 float64) report.PublishedRow {
		return report.PublishedRow{
			Set: set, Features: features, Model: model, AUC: num.Float(auc), AUCLo: num.Float(lo), AUCHi: num.Float(hi),
			Accuracy: num.Float(acc), Sensitivity: num.Float(sens), Specificity: num.Float(spec), F1: num.Float(f1),
		}
	}
	return []report.PublishedRow{
		row("internal", "ta", "lr", .768, .702, .834, .736, .810, .593, .803),
		row("internal", "ta", "svm", .771, .704, .838, .782, .905, .543, .846),
		row("internal", "ta", "knn", .652, .580, .724, .410, .152, .914, .254),
		row("internal", "ta", "rf", .746, .678, .814, .527, .348, .877, .493),
		row("internal", "ta", "lightgbm", .727, .653, .802, .762, .854, .580, .826),
		row("internal", "ta", "adaboost", .714, .642, .787, .732, .854, .494, .808),
		row("internal", "pta", "lr", .673, .603, .744, .640, .608, .704, .691),
		row("internal", "pta", "svm", .684, .610, .757, .690, .741, .593, .760),
		row("internal", "pta", "knn", .602, .528, .676, .414, .190, .852, .300),
		row("internal", "pta", "rf", .555, .478, .631, .423, .215, .827, .330),
		row("internal", "pta", "lightgbm", .623, .545, .702, .728, .892, .407, .813),
		row("internal", "pta", "adaboost", .632, .555, .709, .686, .804, .457, .772),
		row("internal", "fusion", "lr", .785, .723, .847, .745, .778, .679, .801),
		row("internal", "fusion", "svm", .811, .752, .870, .778, .823, .691, .831),
		row("internal", "fusion", "knn", .645, .570, .720, .573, .532, .654, .622),
		row("internal", "fusion", "rf", .677, .604, .750, .665, .759, .481, .750),
		row("internal", "fusion", "lightgbm", .767, .700, .834, .749, .791, .667, .806),
		row("internal", "fusion", "adaboost", .750, .679, .822, .732, .797, .605, .797),
		row("external", "fusion", "svm", .817, .720, .915, .827, .884, .684, .880),
	}
}
