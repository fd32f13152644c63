//go:build !amd64

package kernel

func sets(ISA) *Set { return portableSet() }
