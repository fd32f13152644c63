package kernel

//go:generate go run ./gen
//go:generate gofmt -w asm_amd64.go
