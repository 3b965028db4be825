//go:build chaos

package study

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	compare "github.com/google/go-cmp/cmp"

	"soup/internal/fleet"
	"soup/results"
)

// The environment of make chaos and of its processes.
const (
	chaosTime   = "SOUP_CHAOS"        // how long; default 15m
	chaosRole   = "SOUP_CHAOS_ROLE"   // coordinator, worker, liar or hanger
	chaosStudy  = "SOUP_CHAOS_STUDY"  // file
	chaosAt     = "SOUP_CHAOS_AT"     // host:port
	chaosPoison = "SOUP_CHAOS_POISON" // key of the candidate under which a process dies
	chaosName   = "SOUP_CHAOS_NAME"   // of the worker

	chaosNamespaces = "SOUP_CHAOS_NETNS" // not empty: every worker is in a network namespace of its own
)

const chaosWorkers = 6

// init turns the test binary into a process of the chaos.
func init() {
	role := os.Getenv(chaosRole)
	if role == "" {
		return
	}
	m := &machine{lies: role == "liar"}
	m.asked = func(n int) error {
		if role == "hanger" && n > 60 { // in one of its first candidates
			select {}
		}
		time.Sleep(60 * time.Millisecond)
		return nil
	}
	m.load = func(digest string) error {
		if digest == os.Getenv(chaosPoison) {
			os.Exit(7)
		}
		return nil
	}
	var err error
	if role == "coordinator" {
		err = chaosCoordinator(m)
	} else {
		err = chaosWorker(m)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, role, os.Getenv(chaosName), err)
		os.Exit(1)
	}
	os.Exit(0)
}

func chaosCoordinator(m *machine) error {
	c, err := ReadConfig(os.Getenv(chaosStudy))
	if err != nil {
		return err
	}
	fakeServer(c)
	at := fleet.Listen{Address: os.Getenv(chaosAt), Token: fleetToken}
	return Run(context.Background(), c, RunOptions{start: m.start, Warnings: os.Stderr, Fleet: &Fleet{Listen: at, wait: 5 * time.Second, parts: 2}})
}

func chaosWorker(m *machine) error {
	var parents []string
	for _, name := range []string{"base", "finetune/hot", "finetune/order", "finetune/call", "finetune/arith"} {
		parents = append(parents, filepath.Join(garden, name))
	}
	return Work(context.Background(), WorkOptions{
		Remote: fleet.Remote{URL: "nats://" + os.Getenv(chaosAt), Token: fleetToken, Wait: time.Minute}, Parents: parents,
		Name: os.Getenv(chaosName), Warnings: io.Discard, start: m.start, alter: fakeServer, wait: 5 * time.Second, patience: 10 * time.Second,
	})
}

// process is one that is started again whenever it ends badly.
type process struct {
	cable
	env   []string
	cmd   *exec.Cmd
	ended chan error
}

func (p *process) start(t *testing.T) {
	t.Helper()
	line := append(slices.Clone(p.exec), os.Args[0])
	p.cmd = exec.Command(line[0], line[1:]...)
	p.cmd.Env, p.cmd.Stderr = append(os.Environ(), p.env...), os.Stderr
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p.ended = make(chan error, 1)
	go func(cmd *exec.Cmd, ended chan error) { ended <- cmd.Wait() }(p.cmd, p.ended)
}

// TestChaos kills workers and the coordinator at random and cuts workers off, with a
// liar, one that hangs and a poison among them: the ledger is that of a calm study, but
// for the poison.
func TestChaos(t *testing.T) {
	length, err := time.ParseDuration(cmp.Or(os.Getenv(chaosTime), "15m"))
	if err != nil {
		t.Fatal(err)
	}
	more := fmt.Sprintf("strategies: [{random: {budget: %d}}]\n", max(20, int(1.7*length.Seconds())))
	want := undisturbed(t, more)
	file := smallStudy(t, more)
	poison := worst(want)
	_, port, err := net.SplitHostPort(freeAddress(t))
	if err != nil {
		t.Fatal(err)
	}
	env := []string{chaosStudy + "=" + file, chaosPoison + "=" + want.Trials[poison].Key}
	head := &process{env: append(slices.Clone(env), chaosAt+"=0.0.0.0:"+port, chaosRole+"=coordinator")}
	head.start(t)
	var workers []*process
	roles := append(slices.Repeat([]string{"worker"}, chaosWorkers), "liar", "hanger")
	for i, c := range cables(t, len(roles), port) {
		p := &process{cable: c, env: append(slices.Clone(env), chaosAt+"="+c.at, chaosRole+"="+roles[i], fmt.Sprint(chaosName, "=", roles[i], i))}
		p.start(t)
		workers = append(workers, p)
	}
	begun := time.Now()
	kills, cuts := chaos(t, head, workers, length)
	if took := time.Since(begun); took < length {
		t.Errorf("the study ended after %s of %s: it needs more candidates", took, length)
	}
	for _, p := range workers {
		_ = p.cmd.Process.Kill()
	}
	t.Logf("%d kills, %d partitions", kills, cuts)
	got := read(t, DefaultDir(file))
	if got.Trials[poison].State != results.Failed {
		t.Errorf("the poison is %s", got.Trials[poison].State)
	}
	for _, k := range []*kept{&want, &got} {
		k.Trials[poison] = results.Trial{}
		for split := range k.Outcomes {
			if strings.HasPrefix(split, fmt.Sprint(poison, " ")) {
				delete(k.Outcomes, split)
			}
		}
	}
	if diff := compare.Diff(want, got); diff != "" {
		t.Errorf("calm and chaos differ:\n%s", diff)
	}
	if who := whoScored(t, DefaultDir(file)); who[fmt.Sprint("liar", chaosWorkers)] > 0 || len(who) < 3 {
		t.Errorf("who scored: %v", who)
	}
}

// worst is the trial of the strategy with the lowest search score: it wins nothing.
func worst(k kept) (trial int) {
	lowest := 2.0
	for _, t := range k.Trials {
		if t.Strategy != "random" || t.State != results.Complete {
			continue
		}
		sum, n := 0.0, 0.0
		for _, o := range k.Outcomes[fmt.Sprint(t.Number, " search")] {
			sum, n = sum+o.Score, n+1
		}
		if sum/n < lowest {
			trial, lowest = t.Number, sum/n
		}
	}
	return trial
}

// chaos kills and cuts for a time, starts again what ended badly, and returns when the
// study has ended.
func chaos(t *testing.T, head *process, workers []*process, length time.Duration) (kills, cuts int) {
	t.Helper()
	begun := time.Now()
	shoot, behead, look := time.NewTicker(5*time.Second), time.NewTicker(min(60*time.Second, length/3)), time.NewTicker(200*time.Millisecond)
	cut := time.NewTicker(7 * time.Second)
	var mending sync.WaitGroup
	defer mending.Wait()
	anybody := func() *process { return workers[rand.IntN(chaosWorkers)] }
	for time.Since(begun) < 3*length+2*time.Minute {
		raging := time.Since(begun) < length
		select {
		case <-shoot.C:
			if raging {
				_ = anybody().cmd.Process.Kill()
				kills++
			}
		case <-cut.C: // mostly longer than its task stays its own
			if raging {
				off := anybody()
				off.cut(true)
				mending.Go(func() {
					time.Sleep(5*time.Second + rand.N(15*time.Second))
					off.cut(false)
				})
				cuts++
			}
		case <-behead.C:
			if raging {
				_ = head.cmd.Process.Kill()
				kills++
			}
		case err := <-head.ended:
			if err == nil {
				return kills, cuts
			}
			head.start(t)
		case <-look.C:
			for _, w := range workers {
				select {
				case <-w.ended: // the liar is started again too, and found again
					w.start(t)
				default:
				}
			}
		}
	}
	t.Fatal("the study did not end")
	return kills, cuts
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
