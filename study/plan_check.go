package study

import (
	"reflect"
	"slices"
	"strconv"
	"strings"

	"sonotype/classify"
	"sonotype/densenet"
)

// FeatureSets are the three inputs of the models: tumour, peritumour, and both joined.
var FeatureSets = []string{"ta", "pta", "fusion"}

// backbones are the networks that the program knows.
func backbones() []string {
	var names []string
	for _, v := range densenet.Variants() {
		names = append(names, string(v))
	}
	return names
}

type complain func(key, want string, got any) error

func (p *Plan) validateModels(bad complain) error {
	if len(p.Classify.Models) == 0 {
		return bad("classify.models", "at least one of "+strings.Join(classify.Names, ", "), "none")
	}
	for i, m := range p.Classify.Models {
		if !slices.Contains(classify.Names, m) || slices.Contains(p.Classify.Models[:i], m) {
			return bad("classify.models", "each at most once: "+strings.Join(classify.Names, ", "), m)
		}
	}
	switch p.Classify.Primary {
	case "cv", "best-on-internal":
		return nil
	}
	features, model, _ := strings.Cut(p.Classify.Primary, "/")
	if !slices.Contains(FeatureSets, features) || !slices.Contains(p.Classify.Models, model) {
		return bad("classify.primary", "cv, best-on-internal, or features/model such as fusion/svm", p.Classify.Primary)
	}
	return nil
}

func (p *Plan) validateThreshold(bad complain) error {
	if p.Evaluate.Threshold == "youden" {
		return nil
	}
	if v, err := strconv.ParseFloat(p.Evaluate.Threshold, 64); err != nil || v <= 0 || v >= 1 {
		return bad("evaluate.threshold", "youden or a number between 0 and 1", p.Evaluate.Threshold)
	}
	return nil
}

func (p *Plan) validateRates(bad complain) error {
	for i, v := range p.Evaluate.Rates {
		if !(v > 0 && v < 1) || slices.Contains(p.Evaluate.Rates[:i], v) {
			return bad("evaluate.rates", "different numbers between 0 and 1", v)
		}
	}
	return nil
}

// planKeys lists every key that study.yaml may hold, for "did you mean".
func planKeys() []string {
	var keys []string
	var walk func(t reflect.Type)
	walk = func(t reflect.Type) {
		for i := range t.NumField() {
			f := t.Field(i)
			key, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
			if key != "" {
				keys = append(keys, key)
			}
			if f.Type.Kind() == reflect.Struct {
				walk(f.Type)
			}
		}
	}
	walk(reflect.TypeFor[Plan]())
	return keys
}
