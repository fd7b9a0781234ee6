package jupyter

import (
	"bufio"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// venv is the private virtual environment made from a hashed lock file.
//
// It lives at cache/jupyter-HASH, a symbolic link to the folder that holds it. The link is made
// last, so an install that was killed is never used; its folder is removed by a later one.
type venv struct {
	lock  string // requirements file: every line pinned and hashed
	cache string
}

// pinned matches the line of one package in the lock file.
var pinned = regexp.MustCompile(`(?m)^[A-Za-z0-9._-]+==`)

// ensure returns the environment's folder, and makes it first if need be.
func (v venv) ensure(ctx context.Context, p *Progress) (string, error) {
	lock, err := os.ReadFile(v.lock)
	if err != nil {
		return "", err
	}
	link := filepath.Join(v.cache, fmt.Sprintf("jupyter-%x", sha256.Sum256(lock)))[:len(v.cache)+len("/jupyter-")+12]
	if works(link) {
		return link, nil
	}
	python, err := findPython(ctx)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(v.cache, 0o700); err != nil {
		return "", err
	}
	v.clean()
	dir, err := os.MkdirTemp(v.cache, filepath.Base(link)+"-")
	if err != nil {
		return "", err
	}
	t := p.Start("JupyterLab", "packages")
	if err := v.install(ctx, python, dir, len(pinned.FindAll(lock, -1)), t); err != nil {
		t.End(err)
		os.RemoveAll(dir)
		return "", err
	}
	t.End(nil)
	tmp := dir + ".link"
	if err := os.Symlink(filepath.Base(dir), tmp); err != nil {
		return "", err
	}
	if err := os.Rename(tmp, link); err != nil {
		return "", err
	}
	return link, nil
}

// works says whether the environment is there and its Python still runs (it does not after the
// system's Python has been upgraded away).
func works(dir string) bool {
	if _, err := os.Stat(filepath.Join(dir, "bin", "jupyter")); err != nil {
		return false
	}
	return exec.Command(filepath.Join(dir, "bin", "python"), "-c", "").Run() == nil
}

// clean removes the folders that no link names and that are too old to be still in the making.
func (v venv) clean() {
	all, _ := filepath.Glob(filepath.Join(v.cache, "jupyter-*"))
	used := map[string]bool{}
	for _, f := range all {
		if target, err := os.Readlink(f); err == nil && works(f) {
			used[filepath.Join(v.cache, target)] = true
		}
	}
	for _, f := range all {
		i, err := os.Lstat(f)
		if err == nil && i.IsDir() && !used[f] && time.Since(i.ModTime()) > time.Hour {
			os.RemoveAll(f)
		}
	}
}

// install makes the environment in dir with the given Python.
func (v venv) install(ctx context.Context, python, dir string, packages int, t *Task) error {
	t.Set(0, packages, 0)
	pip := []string{filepath.Join(dir, "bin", "python"), "-m", "pip"}
	if out, err := exec.CommandContext(ctx, python, "-m", "venv", dir).CombinedOutput(); err != nil {
		// Debian's python3 lacks ensurepip: a pip outside can fill an environment without one.
		if exec.CommandContext(ctx, python, "-m", "venv", "--clear", "--without-pip", dir).Run() != nil {
			return &Unavailable{"python3 cannot make a virtual environment: " + lastLine(out), fixPython()}
		}
		if exec.CommandContext(ctx, python, "-m", "pip", "--python", pip[0], "--version").Run() != nil {
			return &Unavailable{"this python3 has neither venv with pip nor a recent pip", fixPython()}
		}
		pip = []string{python, "-m", "pip", "--python", pip[0]}
	}
	args := append(pip[1:], "install", "--require-hashes", "--only-binary", ":all:", "--no-input",
		"--disable-pip-version-check", "--progress-bar", "off", "-r", v.lock)
	c := exec.CommandContext(ctx, pip[0], args...)
	c.Env = append(os.Environ(), "PYTHONUNBUFFERED=1", "LC_ALL=C")
	r, w := io.Pipe()
	c.Stdout, c.Stderr = w, w
	var tail []string
	read := make(chan struct{})
	go func() {
		defer close(read)
		tail = followPip(r, packages, t)
	}()
	err := c.Run()
	w.Close()
	<-read
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		return &Unavailable{
			Why: "pip could not install it:\n    " + strings.Join(tail, "\n    "),
			Fix: "go online and try again (47 MB come from your package index), or put JupyterLab 4 on PATH",
		}
	}
	return nil
}

var downloadedSize = regexp.MustCompile(`^\s*(?:Downloading|Using cached) .* \(([0-9.]+) (kB|MB|bytes)`)

// followPip turns pip's lines into progress and returns the last ones.
func followPip(r io.Reader, packages int, t *Task) (tail []string) {
	done, bytes := 0, 0.0
	s := bufio.NewScanner(r)
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		l := strings.TrimRight(s.Text(), " ")
		switch {
		case strings.HasPrefix(l, "Ignoring "): // for another system or version of Python
			packages--
		case strings.HasPrefix(l, "Collecting "):
			done++
		case strings.HasPrefix(l, "ERROR:") || strings.HasPrefix(l, "WARNING:"):
			tail = append(tail, l)
		}
		if m := downloadedSize.FindStringSubmatch(l); m != nil {
			x, _ := strconv.ParseFloat(m[1], 64)
			bytes += x * map[string]float64{"bytes": 1, "kB": 1e3, "MB": 1e6}[m[2]]
		}
		t.Set(done, packages, int64(bytes))
	}
	io.Copy(io.Discard, r)
	return tail[max(0, len(tail)-5):]
}

// findPython returns the first Python that the lock file is made for, 3.10 to 3.14.
func findPython(ctx context.Context) (string, error) {
	why := "there is no python3 on PATH"
	for _, name := range []string{"python3", "python", "python3.14", "python3.13", "python3.12", "python3.11", "python3.10"} {
		path, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		out, err := exec.CommandContext(ctx, path, "-c", "import sys; print('%d.%d' % sys.version_info[:2])").Output()
		if err != nil {
			continue
		}
		v := strings.TrimSpace(string(out))
		if mm, ok := majorMinor(v); ok && mm[0] == 3 && mm[1] >= 10 && mm[1] <= 14 {
			return path, nil
		}
		why = fmt.Sprintf("%s is Python %s, and 3.10 to 3.14 is needed", path, v)
	}
	return "", &Unavailable{why, fixPython()}
}

// fixPython is the one command that gives this machine a Python that can make environments.
func fixPython() string {
	for _, m := range [][2]string{
		{"apt-get", "sudo apt-get install -y python3-venv"},
		{"dnf", "sudo dnf install -y python3"},
		{"pacman", "sudo pacman -S --noconfirm python"},
		{"apk", "sudo apk add python3"},
		{"zypper", "sudo zypper install -y python3"},
		{"brew", "brew install python"},
	} {
		if _, err := exec.LookPath(m[0]); err == nil {
			return m[1]
		}
	}
	if runtime.GOOS == "windows" {
		return "wsl --install, then clone and start inside it: the kernel needs a Unix shell"
	}
	return "install Python 3.10 to 3.14, then try again"
}

func lastLine(b []byte) string {
	l := strings.Split(strings.TrimSpace(string(b)), "\n")
	return l[len(l)-1]
}

// IsUnavailable says whether err means that no Jupyter can be had here.
func IsUnavailable(err error) bool {
	var u *Unavailable
	return errors.As(err, &u)
}
