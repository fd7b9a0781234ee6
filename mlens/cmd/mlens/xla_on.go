//go:build xla

package main

const haveXLA = true
