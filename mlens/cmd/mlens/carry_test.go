package main

import (
	"bytes"
	"context"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A training that is stopped, goes on elsewhere and ends is brought back whole, by carry.sh with a
// program that only seems to train; damaged parts are refused.
func TestCarry(t *testing.T) {
	for _, tool := range []string{"sh", "tar", "split", "sha256sum", "setsid", "xargs"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip("no " + tool)
		}
	}
	read := func(path ...string) []byte {
		t.Helper()
		data, err := os.ReadFile(filepath.Join(path...))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	write := func(data []byte, path ...string) {
		t.Helper()
		name := filepath.Join(path...)
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, data, 0o700); err != nil {
			t.Fatal(err)
		}
	}

	dir, out := t.TempDir(), filepath.Join(t.TempDir(), "out here")
	script := filepath.Join(dir, "carry.sh")
	write(read("carry.sh"), script)
	weights := make([]byte, 20<<20) // more than one part
	rand.NewChaCha8([32]byte{1}).Read(weights)
	write(weights, dir, "weights")
	// Without a checkpoint it waits for a signal, and takes long to save one; with it, it ends.
	write([]byte(`#!/bin/sh
here=$(dirname "$0")
echo "$@" >"$here/flags"
echo "$MLENS_XLA_PLUGIN $XLA_FLAGS $LD_LIBRARY_PATH" >"$here/environment"
while [ "$1" != -dir ]; do shift; done
state=$2/runs/0123/state
if [ -e "$state/checkpoint.safetensors" ]; then
	mkdir "$4" && cp "$state/checkpoint.safetensors" "$4/weights.safetensors" && exit
fi
mkdir -p "$state"
trap 'echo signal >>"$here/signals"; sleep 0.3; cp "$here/weights" "$state/checkpoint.safetensors"; exit 130' INT TERM
touch "$here/waiting"
i=0; while [ $i -lt 1000 ]; do sleep 0.02; i=$((i+1)); done
`), dir, "mlens")
	site := t.TempDir() // as Python's site-packages
	plugin := filepath.Join(site, "jax_plugins", "xla_cuda13", "xla_cuda_plugin.so")
	for _, p := range []string{plugin, site + "/nvidia/cu13/nvvm/libdevice/x", site + "/nvidia/cudnn/lib/x"} {
		write(nil, p)
	}
	t.Setenv("MLENS_XLA_PLUGIN", plugin)
	t.Setenv("XLA_FLAGS", "--xla_other=1")

	train := func(out string) (*exec.Cmd, *bytes.Buffer) {
		t.Helper()
		said := new(bytes.Buffer)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		t.Cleanup(cancel)
		c := exec.CommandContext(ctx, "sh", script, "train", out, "-curves", "512")
		c.Stdout, c.Stderr, c.WaitDelay = said, said, time.Second
		c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		return c, said
	}
	join := func(parts, to string, words ...string) {
		t.Helper()
		said, err := exec.Command("sh", script, "join", parts, to).CombinedOutput()
		if (err != nil) != (words != nil) {
			t.Fatalf("join: %v, %s", err, said)
		}
		for _, w := range words {
			if !strings.Contains(string(said), w) {
				t.Errorf("join: %q does not say %q", said, w)
			}
		}
	}

	// Stopped: signals come to all processes of a group, and more than one, but the program gets one.
	c, said := train(out)
	for started := time.Now(); time.Since(started) < 30*time.Second; time.Sleep(time.Millisecond) {
		if _, err := os.Stat(filepath.Join(dir, "waiting")); err == nil {
			break
		}
	}
	for _, s := range []syscall.Signal{syscall.SIGTERM, syscall.SIGTERM, syscall.SIGINT} {
		syscall.Kill(-c.Process.Pid, s)
		time.Sleep(50 * time.Millisecond)
	}
	if err := c.Wait(); c.ProcessState.ExitCode() != 130 {
		t.Fatalf("stopped: %v, %s", err, said)
	}
	if got := string(read(dir, "signals")); got != "signal\n" {
		t.Errorf("the program got %q", got)
	}
	if got, want := string(read(dir, "flags")), "train -backend xla -network paper -batch 512 -curves 512 -dir "+out+"/work -out "+out+"/model\n"; got != want {
		t.Errorf("its flags are %q, not %q", got, want)
	}
	if got, want := string(read(dir, "environment")), plugin+" --xla_gpu_cuda_data_dir="+site+"/nvidia/cu13 --xla_other=1 "+site+"/nvidia/cudnn/lib"; !strings.HasPrefix(got, want) {
		t.Errorf("its environment is %q, not %q", got, want)
	}

	// The parts are small, and whole or refused.
	parts, elsewhere := filepath.Join(out, "parts"), filepath.Join(t.TempDir(), "elsewhere")
	work := filepath.Join(elsewhere, "work")
	list := names(t, parts)
	if len(list) != 3 {
		t.Fatalf("the parts are %q", list)
	}
	for _, name := range list {
		if len(read(parts, name)) >= 16e6 {
			t.Errorf("%s is too large", name)
		}
	}
	second := filepath.Join(parts, "checkpoint.tar.aab")
	data := read(second)
	data[1000] ^= 1
	write(data, second)
	join(parts, work, "checkpoint.tar.aab: FAILED", "damaged")
	if err := os.Remove(second); err != nil {
		t.Fatal(err)
	}
	join(parts, work, "checkpoint.tar.aab", "missing")
	if names(t, elsewhere) != nil {
		t.Error("something was joined")
	}
	data[1000] ^= 1
	write(data, second)
	join(parts, work)
	if !bytes.Equal(read(work, "runs", "0123", "state", "checkpoint.safetensors"), weights) {
		t.Error("the checkpoint is another")
	}
	join(parts, work, work, "exists already")

	// Elsewhere the training goes on, and its model comes back.
	c, said = train(elsewhere)
	if err := c.Wait(); err != nil {
		t.Fatalf("%v, %s", err, said)
	}
	model := filepath.Join(t.TempDir(), "model")
	join(filepath.Join(elsewhere, "parts"), model)
	if !bytes.Equal(read(model, "weights.safetensors"), weights) {
		t.Error("the model is another")
	}
}
