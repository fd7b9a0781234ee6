//go:build xla

package flow

import _ "github.com/gomlx/go-xla/compute/xla" // registers the backend "xla"
