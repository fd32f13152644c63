package suggest

import (
	"slices"
	"testing"
)

func TestNearest(t *testing.T) {
	have := []string{"sitting", "mitten", "KITTEN"}
	if got := Nearest("kitten", have, 2); !slices.Equal(got, []string{"KITTEN", "mitten"}) {
		t.Errorf("got %v", got)
	}
	if got := Close("regin", []string{"seed", "region"}); got != "region" {
		t.Errorf("got %q", got)
	}
	if got := Close("zzzz", []string{"seed", "region"}); got != "" {
		t.Errorf("got %q, want none", got)
	}
}
