package main

import (
	"slices"
	"strings"
	"testing"
)

func TestDoubleDash(t *testing.T) {
	got := doubleDash(strings.Fields("infer -window 2460919.5 -n 20 -json -model=m --out o -5 - -- -port 1"))
	want := strings.Fields("infer --window 2460919.5 -n 20 --json --model=m --out o -5 - -- -port 1")
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}
