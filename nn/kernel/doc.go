// Package kernel holds the inner loops of the network engine, float32 slices in and out:
// a register-tiled matrix product and the element-wise passes around it, in AVX-512, AVX2 and Go.
package kernel
