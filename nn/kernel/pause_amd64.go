package kernel

// Pause tells the processor that the caller is spinning.
func Pause()
