package flow

import (
	"bytes"
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestWeightsRoundTrip(t *testing.T) {
	m := randomModel(tiny(), 1)
	m.weights[0][0] = float32(math.Copysign(0, -1))
	path := filepath.Join(t.TempDir(), "weights.safetensors")
	if err := m.Save(path); err != nil {
		t.Fatal(err)
	}
	back, err := LoadModel(m.Config, path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range m.weights {
		for j, v := range m.weights[i] {
			if math.Float32bits(v) != math.Float32bits(back.weights[i][j]) {
				t.Fatalf("%s[%d] was %g and is %g", m.params[i].name, j, v, back.weights[i][j])
			}
		}
	}
	var a, b bytes.Buffer
	if m.WriteWeights(&a) != nil || back.WriteWeights(&b) != nil || !bytes.Equal(a.Bytes(), b.Bytes()) {
		t.Error("writing again gives other bytes")
	}
	if left, _ := os.ReadDir(filepath.Dir(path)); len(left) != 1 {
		t.Errorf("Save leaves %v", left)
	}
}

func TestDamagedWeights(t *testing.T) {
	c := tiny()
	var buf bytes.Buffer
	if err := randomModel(c, 1).WriteWeights(&buf); err != nil {
		t.Fatal(err)
	}
	good := buf.Bytes()
	header := int(binary.LittleEndian.Uint64(good))
	damage := func(f func(b []byte) []byte) []byte { return f(slices.Clone(good)) }
	replace := func(old, new string) []byte {
		if len(old) != len(new) || !bytes.Contains(good, []byte(old)) {
			t.Fatalf("%q cannot be replaced", old)
		}
		return bytes.Replace(slices.Clone(good), []byte(old), []byte(new), 1)
	}
	for want, data := range map[string][]byte{
		"too few for a header":   good[:5],
		"inside its header":      good[:8+header/2],
		"is truncated":           good[:len(good)-1],
		"no safetensors file":    []byte("this is a text, not the weights of a network"),
		"header is not readable": damage(func(b []byte) []byte { b[9] = 'x'; return b }),
		"follow the last tensor": append(slices.Clone(good), 0, 0, 0, 0),
		`"stem.b" is missing`:    replace(`"stem.b"`, `"stem.c"`),
		"does not fit":           replace(`"shape":[14]`, `"shape":[15]`),
		"dtype":                  replace(`"F32"`, `"F16"`),
	} {
		_, err := ReadModel(c, bytes.NewReader(data))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error with %q, got %v", want, err)
		}
	}
	// Each truncation is an error, none a panic.
	for n := 0; n < len(good); n += 97 {
		if _, err := ReadModel(c, bytes.NewReader(good[:n])); err == nil {
			t.Fatalf("%d of %d bytes are accepted", n, len(good))
		}
	}
	other := c
	other.Context++
	if _, err := ReadModel(other, bytes.NewReader(good)); err == nil || !strings.Contains(err.Error(), "do not belong to this configuration") {
		t.Errorf("weights of another configuration: %v", err)
	}
	path := filepath.Join(t.TempDir(), "w")
	if _, err := LoadModel(c, path); err == nil {
		t.Error("a missing file is no error")
	}
	if err := os.WriteFile(path, good[:100], 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadModel(c, path); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("the error does not name the file: %v", err)
	}
}

func TestContextErrors(t *testing.T) {
	c := tiny()
	m := randomModel(c, 1)
	b := randomBatch(c, 2, 1)
	if _, err := m.Context(b.X[:len(b.X)-1], b.C); err == nil {
		t.Error("too few numbers in x are no error")
	}
	if _, err := m.Context(b.X, b.C[:1]); err == nil {
		t.Error("too few scalars are no error")
	}
	if _, err := m.Context(nil, nil); err == nil {
		t.Error("no example is no error")
	}
}
