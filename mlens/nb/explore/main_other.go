//go:build !(js && wasm)

package main

import "os"

func main() {
	os.Stderr.WriteString("explore runs in a web page: build it with GOOS=js GOARCH=wasm, or use nb.Explore\n")
	os.Exit(2)
}
