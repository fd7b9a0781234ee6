//go:build !goexperiment.simd

package main

const haveSIMD = false
