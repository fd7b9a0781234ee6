// Package pjrt finds the plugin with which XLA compiles and runs a graph, or fetches the one for
// CPUs.
package pjrt

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// Setting is the environment variable that names a plugin: the path of its shared library, with
// options after a comma as GOMLX_BACKEND has them.
const Setting = "MLENS_XLA_PLUGIN"

// requirement is the CPU plugin's only wheel, as pip reads it: Apache-2.0, 63 MB, 202 MB unpacked,
// the PJRT API 0.115 and StableHLO 1.20 of jax-cuda13-pjrt 0.11.2.
const requirement = "lammps-jax-pjrt-cpu==0.11.2 --hash=sha256:1319390d948b39f69f7dade496b7c385149d9ca6097a6b62114da113216d9ad1\n"

// The plugin's library below the folder into which pip installs.
const (
	libraryDir  = "lammps_jax_pjrt_cpu"
	libraryName = "pjrt_c_api_cpu_plugin.so"
)

// Environment returns the settings under which GoMLX opens XLA: with the plugin that [Setting]
// names, or else with the CPU's, which is fetched into a folder below cache if it is not there. say
// is called before that is done.
func Environment(ctx context.Context, cache string, say func(string)) ([]string, error) {
	env := []string{"GOMLX_NO_AUTO_INSTALL=1", "GOPJRT_CUDA_CHECKS=0"}
	if plugin := os.Getenv(Setting); plugin != "" {
		path, _, _ := strings.Cut(plugin, ",")
		if info, err := os.Stat(path); err != nil || info.IsDir() {
			return nil, fmt.Errorf("%s is %q, but there is no such plugin: give the path of a pjrt_c_api_…_plugin.so", Setting, path)
		}
		abs, err := filepath.Abs(path)
		if err != nil {
			return nil, err
		}
		if err := oneKind(abs); err != nil {
			return nil, err
		}
		return append(env, "GOMLX_BACKEND=xla:"+abs+strings.TrimPrefix(plugin, path)), nil
	}
	dir, err := fetched(ctx, cache, say)
	if err != nil {
		return nil, err
	}
	library := filepath.Join(dir, libraryDir, libraryName)
	if err := oneKind(library); err != nil {
		return nil, err
	}
	return append(env, "GOMLX_BACKEND=xla:"+library), nil
}

// oneKind refuses a plugin that go-xla would treat as CUDA's and as one for CPUs: it guesses either
// from the whole path.
func oneKind(path string) error {
	p := strings.ToUpper(path)
	if strings.Contains(p, "CPU") && (strings.Contains(p, "CUDA") || strings.Contains(p, "NVIDIA")) {
		return fmt.Errorf("whether XLA's plugin is for CPUs or for CUDA is guessed from its path, but %q has both \"cpu\" and \"cuda\" or \"nvidia\" in it: move it, or set %s to a symbolic link", path, Setting)
	}
	return nil
}

// fetched returns the folder of the CPU plugin, and fetches it first if need be. The folder gets its
// name when it is complete.
func fetched(ctx context.Context, cache string, say func(string)) (string, error) {
	dir := filepath.Join(cache, fmt.Sprintf("xla-cpu-%x", sha256.Sum256([]byte(requirement)))[:len("xla-cpu-")+12])
	if _, err := os.Stat(filepath.Join(dir, libraryDir, libraryName)); err == nil {
		return dir, nil
	}
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		return "", fmt.Errorf("XLA's CPU plugin is made for Linux on amd64, not for %s on %s: set %s to the path of one for this machine, or train with -backend go", runtime.GOOS, runtime.GOARCH, Setting)
	}
	python, err := withPip(ctx)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(cache, 0o700); err != nil {
		return "", err
	}
	tidy(dir)
	tmp, err := os.MkdirTemp(cache, filepath.Base(dir)+"-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(tmp)
	list := filepath.Join(tmp, "requirements.txt")
	if err := os.WriteFile(list, []byte(requirement), 0o600); err != nil {
		return "", err
	}
	say("fetching XLA's CPU plugin (63 MB from your Python package index, once)")
	c := exec.CommandContext(ctx, python, "-m", "pip", "install", "--target", filepath.Join(tmp, "plugin"), "--no-deps", "--require-hashes",
		"--only-binary", ":all:", "--no-compile", "--no-input", "--disable-pip-version-check", "--quiet", "-r", list)
	out, err := c.CombinedOutput()
	if ctx.Err() != nil {
		return "", context.Cause(ctx)
	}
	if err == nil {
		_, err = os.Stat(filepath.Join(tmp, "plugin", libraryDir, libraryName))
	}
	if err != nil {
		return "", fmt.Errorf("pip could not fetch XLA's CPU plugin (%w): go online and try again, set %s to the path of a plugin, or train with -backend go\n%s", err, Setting, bytes.TrimSpace(out))
	}
	if err := os.Rename(filepath.Join(tmp, "plugin"), dir); err != nil {
		// Another process may have been first.
		if _, there := os.Stat(filepath.Join(dir, libraryDir, libraryName)); there != nil {
			return "", err
		}
	}
	return dir, nil
}

// withPip returns the first Python that has pip.
func withPip(ctx context.Context) (string, error) {
	found := ""
	for _, name := range []string{"python3", "python"} {
		path, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		found = path
		if exec.CommandContext(ctx, path, "-m", "pip", "--version").Run() == nil {
			return path, nil
		}
	}
	if ctx.Err() != nil {
		return "", context.Cause(ctx)
	}
	what := "there is no python3 on PATH"
	if found != "" {
		what = found + " has no pip"
	}
	return "", errors.New("XLA's CPU plugin is fetched with pip, but " + what + ": install python3 with pip, set " + Setting + " to the path of a plugin, or train with -backend go")
}

// tidy removes what killed fetches have left of dir.
func tidy(dir string) {
	left, _ := filepath.Glob(dir + "-*")
	for _, path := range left {
		if info, err := os.Stat(path); err == nil && time.Since(info.ModTime()) > time.Hour {
			os.RemoveAll(path)
		}
	}
}
