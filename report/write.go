package report

// Write fills dir with report.html, figures/*.svg and tables/*.csv.
func Write(dir string, s *Study, progress func(done, total int)) error { return nil }

// Headline is the report's first sentence.
func Headline(s *Study) string { return "" }
