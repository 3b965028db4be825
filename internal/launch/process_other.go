//go:build !linux

package launch

import (
	"errors"
	"os"
	"os/exec"
)

func startAndWait(c *exec.Cmd, started chan<- error, ended func(error)) {
	err := c.Start()
	started <- err
	if err == nil {
		ended(c.Wait())
	}
}

func askToEnd(p *os.Process) {
	if err := p.Signal(os.Interrupt); err != nil {
		_ = p.Kill() // Windows has no interrupt for others
	}
}

func kill(p *os.Process) error {
	if err := p.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return nil
}

func ownGroup(*exec.Cmd) {}

func endGroup(p *os.Process) { _ = p.Kill() } // it may have ended
