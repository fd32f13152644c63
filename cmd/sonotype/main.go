// Command sonotype turns ultrasound images, outlines and a clinical table into a validated marker model.
package main

import (
	"os"

	"sonotype/cli"
)

func main() {
	os.Exit(cli.Main(os.Args[1:], os.Stdout, os.Stderr))
}
