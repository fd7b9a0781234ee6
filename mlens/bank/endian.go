package bank

import (
	"encoding/binary"
	"slices"
)

var hostIsLittle = binary.NativeEndian.Uint16([]byte{1, 0}) == 1

// littleEndian turns little-endian words of four bytes into the host's order.
func littleEndian(raw []byte) {
	if hostIsLittle {
		return
	}
	for i := 0; i+4 <= len(raw); i += 4 {
		slices.Reverse(raw[i : i+4])
	}
}
