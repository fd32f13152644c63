package finetune

// kept is the number of the epoch to be kept, from 1: the paper's (best accuracy, then least loss, in validation) or
// that of least validation loss; the earlier of equals.
func (c Config) kept(history []Epoch) int {
	best := 0
	for i, e := range history {
		b := history[best]
		better := e.ValidLoss < b.ValidLoss
		if c.Select == "accuracy" && e.ValidAccuracy != b.ValidAccuracy {
			better = e.ValidAccuracy > b.ValidAccuracy
		}
		if better {
			best = i
		}
	}
	return best + 1
}

// stopped reports whether the validation loss has had no new minimum for Patience epochs.
func (c Config) stopped(history []Epoch) bool {
	least := 0
	for i, e := range history {
		if e.ValidLoss < history[least].ValidLoss {
			least = i
		}
	}
	return c.Patience > 0 && len(history)-1-least >= c.Patience
}
