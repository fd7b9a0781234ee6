package jupyter

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Server is a running JupyterLab.
type Server struct {
	URL string // with its token
	Log string // file that the server's messages go to
	cmd *exec.Cmd
	end chan error
}

// labArgs are the settings without which JupyterLab asks about news, looks for updates on the
// network, runs npm, or offers kernels that are not ours.
func (j *Jupyter) labArgs(port int) []string {
	args := []string{"lab",
		"--no-browser",
		"--ServerApp.ip=127.0.0.1",
		"--ServerApp.port=" + strconv.Itoa(port),
		"--ServerApp.port_retries=0",
		"--ServerApp.root_dir=" + j.Root,
		"--ServerApp.preferred_dir=" + filepath.Join(j.Root, "notebooks"),
		"--LabApp.news_url=None",
		"--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
		"--LabApp.extension_manager=readonly",
		"--ServerApp.jpserver_extensions=jupyter_lsp=False",
		"--KernelSpecManager.ensure_native_kernel=False",
		"--KernelSpecManager.allowed_kernelspecs=gonb",
		"--MappingKernelManager.default_kernel_name=gonb",
	}
	if os.Geteuid() == 0 {
		args = append(args, "--allow-root")
	}
	return args
}

// StartLab starts JupyterLab on the loopback address and returns when it answers. A port of 0
// takes the first free one from 8888 up. The server ends with ctx, its kernels with it.
func (j *Jupyter) StartLab(ctx context.Context, port int, extra []string, p *Progress) (*Server, error) {
	port, err := freePort(port)
	if err != nil {
		return nil, err
	}
	token := rand.Text()
	s := &Server{
		URL: fmt.Sprintf("http://127.0.0.1:%d/lab?token=%s", port, token),
		Log: filepath.Join(j.cache, "jupyter", "lab.log"),
		end: make(chan error, 1),
	}
	if err := os.MkdirAll(filepath.Dir(s.Log), 0o700); err != nil {
		return nil, err
	}
	log, err := os.OpenFile(s.Log, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	t := p.Start("Server", "")
	// The token goes by the environment: other users can read a command line.
	s.cmd = j.command(ctx, slices.Concat(j.labArgs(port), extra)...)
	s.cmd.Env = append(s.cmd.Env, "JUPYTER_TOKEN="+token)
	s.cmd.Stdout, s.cmd.Stderr = log, log
	if err := s.cmd.Start(); err != nil {
		t.End(err)
		return nil, err
	}
	go func() { s.end <- s.cmd.Wait() }()
	err = s.ready(ctx, port, token)
	t.End(err)
	if err != nil {
		syscall.Kill(-s.cmd.Process.Pid, syscall.SIGKILL)
		return nil, err
	}
	return s, nil
}

// ready waits until the server answers with our token.
func (s *Server) ready(ctx context.Context, port int, token string) error {
	url := fmt.Sprintf("http://127.0.0.1:%d/api/status?token=%s", port, token)
	for deadline := time.Now().Add(time.Minute); ; {
		if r, err := http.Get(url); err == nil {
			r.Body.Close()
			if r.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case err := <-s.end:
			s.end <- err
			return fmt.Errorf("JupyterLab did not start (%v); the end of %s:\n%s", err, s.Log, tailOf(s.Log, 10))
		case <-time.After(100 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("JupyterLab does not answer after a minute: see %s", s.Log)
		}
	}
}

// Wait returns when the server has ended: nil when that was asked for.
func (s *Server) Wait(ctx context.Context) error {
	err := <-s.end
	// Whatever is left of its group goes too: a kernel that did not heed its shutdown.
	syscall.Kill(-s.cmd.Process.Pid, syscall.SIGKILL)
	if ctx.Err() != nil || err == nil {
		return nil
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return fmt.Errorf("JupyterLab ended (%v); the end of %s:\n%s", exit, s.Log, tailOf(s.Log, 10))
	}
	return err
}

func freePort(port int) (int, error) {
	if port != 0 {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			return 0, fmt.Errorf("port %d is taken: name another with --port, or leave it out", port)
		}
		return port, l.Close()
	}
	for p := 8888; p < 8988; p++ {
		if l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", p)); err == nil {
			return p, l.Close()
		}
	}
	return 0, errors.New("no free port from 8888 to 8987: name one with --port")
}

// OpenBrowser opens url in the user's browser, if this machine has a screen.
func OpenBrowser(url string) bool {
	var tries [][]string
	switch {
	case runtime.GOOS == "darwin":
		tries = [][]string{{"open", url}}
	case os.Getenv("WSL_DISTRO_NAME") != "":
		tries = [][]string{{"wslview", url}, {"explorer.exe", url}}
	case os.Getenv("DISPLAY") != "" || os.Getenv("WAYLAND_DISPLAY") != "":
		tries = [][]string{{"xdg-open", url}, {"sensible-browser", url}, {"python3", "-m", "webbrowser", url}}
	}
	for _, t := range tries {
		if _, err := exec.LookPath(t[0]); err != nil {
			continue
		}
		c := exec.Command(t[0], t[1:]...)
		c.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // the browser outlives our Ctrl-C
		if c.Start() == nil {
			go c.Wait()
			return true
		}
	}
	return false
}

func tailOf(file string, n int) string {
	b, _ := os.ReadFile(file)
	l := strings.Split(strings.TrimSpace(string(b)), "\n")
	return strings.Join(l[max(0, len(l)-n):], "\n")
}
