//go:build !xla

package main

const haveXLA = false
