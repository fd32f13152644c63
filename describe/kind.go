package describe

// KindOf says how a column of text is read: numeric, or categorical with its levels in order; why is not empty for a
// column that can be neither (no values, identifiers, free text).
func KindOf(values []string) (kind Kind, levels []string, why string) {
	kind, why = detect(values)
	if kind != Categorical {
		return kind, nil, why
	}
	_, levels, err := assign(Column{Kind: Categorical, Values: values})
	if err != nil {
		return Auto, nil, err.Error()
	}
	return kind, levels, ""
}
