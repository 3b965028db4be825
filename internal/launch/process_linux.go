package launch

import (
	"errors"
	"os"
	"os/exec"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// startAndWait runs the command in a process group of its own. The kernel ends
// it with the thread that started it (PR_SET_PDEATHSIG), so the thread stays
// until the command has ended.
func startAndWait(c *exec.Cmd, started chan<- error, ended func(error)) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	err := c.Start()
	started <- err
	if err != nil {
		return
	}
	// Those that it started are ended before it is reaped: until then nobody else can have its number.
	for {
		err = unix.Waitid(unix.P_PID, c.Process.Pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	_ = unix.Kill(-c.Process.Pid, unix.SIGKILL) // the group may be empty
	ended(c.Wait())
}

func askToEnd(p *os.Process) { _ = p.Signal(syscall.SIGTERM) } // it may have ended

func kill(p *os.Process) error {
	if err := p.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return nil
}

func ownGroup(c *exec.Cmd) { c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// endGroup ends a process and those that it started.
func endGroup(p *os.Process) { _ = unix.Kill(-p.Pid, unix.SIGKILL) } // it may have ended
