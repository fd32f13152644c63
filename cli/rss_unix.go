//go:build linux || darwin

package cli

import (
	"runtime"
	"syscall"
)

// peakRSS is the process's largest resident memory in MB.
func peakRSS() float64 {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	if runtime.GOOS == "darwin" { // bytes there, kilobytes on Linux
		return float64(u.Maxrss) / 1e6
	}
	return float64(u.Maxrss) / 1e3
}
