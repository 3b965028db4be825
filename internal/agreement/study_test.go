//go:build servers

package agreement

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"soup/eval/server/servertest/faulty"
	"soup/internal/launch"
	"soup/internal/study"
	"soup/results"
)

// twelve is a study with twelve fixed candidates: three parents and the base,
// equal shares, what greedy adds, and random soups.
const twelve = `seed: 1
base: %[1]s/base
parents: [{path: %[1]s/finetune/arith}, {path: %[1]s/finetune/order}, {path: %[1]s/finetune/quiz}]
benchmarks: [%[2]s]
strategies: [{random: {budget: 6}}]
finalists: 1
`

func studyFile(t *testing.T, server string) string {
	t.Helper()
	root, err := filepath.Abs("../../examples/garden")
	if err != nil {
		t.Fatal(err)
	}
	var files []string
	for _, c := range []string{"arith", "call", "choice", "reverse", "sort", "translate"} {
		files = append(files, fmt.Sprintf("{file: %s/data/%s.jsonl}", root, c))
	}
	file := filepath.Join(t.TempDir(), "twelve.yaml")
	text := fmt.Sprintf(twelve, root, strings.Join(files, ", ")) + "server: " + server + "\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// outcomesThrough runs the study and returns the search outcomes by candidate.
func outcomesThrough(t *testing.T, server string, meanwhile func(dir string, done <-chan struct{})) map[string][]results.Outcome {
	t.Helper()
	file := studyFile(t, server)
	config, err := study.ReadConfig(file)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		meanwhile(study.DefaultDir(file), done)
	}()
	err = study.Run(t.Context(), config, study.RunOptions{Warnings: os.Stderr})
	close(done)
	<-ended
	if err != nil {
		t.Fatal(err)
	}
	ledger, err := results.OpenReadOnly(study.DefaultDir(file))
	if err != nil {
		t.Fatal(err)
	}
	defer ledger.Close()
	trials, err := ledger.Trials()
	if err != nil {
		t.Fatal(err)
	}
	by := map[string][]results.Outcome{}
	for _, trial := range trials {
		if trial.State != results.Complete {
			continue
		}
		if by[trial.Key], err = ledger.Outcomes(trial.Number, results.Search); err != nil {
			t.Fatal(err)
		}
	}
	return by
}

func calm(string, <-chan struct{}) {}

// alike wants the category means of every candidate within 1.5 points and 98 of
// 100 items alike.
func alike(t *testing.T, want, got map[string][]results.Outcome) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%d candidates, want %d", len(got), len(want))
	}
	for key, theirs := range got {
		ours := map[string]results.Outcome{}
		for _, o := range want[key] {
			ours[o.Item] = o
		}
		same, difference, count := 0, map[string]float64{}, map[string]float64{}
		for _, o := range theirs {
			if math.Abs(o.Score-ours[o.Item].Score) < 1e-6 {
				same++
			}
			difference[o.Category] += 100 * (o.Score - ours[o.Item].Score)
			count[o.Category]++
		}
		t.Logf("candidate %.8s: %d of %d items alike", key, same, len(theirs))
		if len(theirs) != 900 || float64(same) < 0.98*900 {
			t.Errorf("candidate %.8s: %d of %d items alike", key, same, len(theirs))
		}
		for c, d := range difference {
			if math.Abs(d/count[c]) > 1.5 {
				t.Errorf("candidate %.8s: %s differs by %.2f points", key, c, d/count[c])
			}
		}
	}
}

var studyServers = map[string]string{
	"ollama":      "{kind: ollama, start: true, threads: 1}",
	"llamaserver": "{kind: llamaserver, start: true, threads: 1}",
	"vllm":        `{kind: vllm, start: true, args: ["--max-model-len", "512", "--enforce-eager"]}`,
}

// The same study through the embedded engine and every real server.
func TestStudyThroughEveryServer(t *testing.T) {
	t.Setenv("VLLM_CPU_KVCACHE_SPACE", "1")
	want := outcomesThrough(t, "{kind: embedded}", calm)
	if len(want) < 11 {
		t.Fatalf("%d candidates", len(want))
	}
	for name, server := range studyServers {
		t.Run(name, func(t *testing.T) { alike(t, want, outcomesThrough(t, server, calm)) })
	}
}

// A server that is killed ten times during a study costs no candidate and no
// score.
func TestStudyWhoseServerIsKilled(t *testing.T) {
	for _, name := range []string{"ollama", "llamaserver"} {
		t.Run(name, func(t *testing.T) {
			want := outcomesThrough(t, studyServers[name], calm)
			kills, killed := 0, -1
			got := outcomesThrough(t, studyServers[name], func(dir string, done <-chan struct{}) {
				for kills < 10 {
					select {
					case <-done:
						return
					case <-time.After(500 * time.Millisecond):
					}
					// Once a candidate: under one that kills it twice the server is not to blame.
					if n := answered(dir); n > killed {
						kills, killed = kills+killServer(t, dir), n
					}
				}
			})
			t.Logf("killed %d times", kills)
			if kills < 10 {
				t.Errorf("the study ended after %d kills", kills)
			}
			alike(t, want, got)
		})
	}
}

// Through a connection that drops, delays, cuts off, doubles and corrupts 5 % of
// the replies each, a study that verifies ends as through a good one.
func TestStudyThroughABadConnection(t *testing.T) {
	folder := serverLogs(t)
	ollama, err := launch.Ollama(t.Context(), launch.Options{Folder: folder})
	if err != nil {
		t.Fatal(err)
	}
	defer ollama.Close()
	t.Setenv("OLLAMA_MODELS", launch.OllamaModels(folder))
	server := "{kind: ollama, url: %q, threads: 1, verify: true, parallel: 4}"
	want := outcomesThrough(t, fmt.Sprintf(server, ollama.URL), calm)
	proxy, err := faulty.New(ollama.URL, faulty.All(0.05), 1)
	if err != nil {
		t.Fatal(err)
	}
	defer proxy.Close()
	got := outcomesThrough(t, fmt.Sprintf(server, proxy.URL), calm)
	t.Logf("%v", proxy.Counts())
	alike(t, want, got)
}

// answered is how many candidates a study has begun; -1 before the first.
func answered(dir string) int {
	ledger, err := results.OpenReadOnly(dir)
	if err != nil {
		return -1
	}
	defer ledger.Close()
	trials, err := ledger.Trials()
	if err != nil {
		return -1
	}
	return len(trials) - 1
}

// killServer kills the process whose working folder is the study's server folder,
// and says whether there was one.
func killServer(t *testing.T, dir string) int {
	folder := filepath.Join(dir, "server")
	processes, err := filepath.Glob("/proc/[0-9]*/cwd")
	if err != nil {
		t.Error(err)
		return 0
	}
	for _, link := range processes {
		at, err := os.Readlink(link)
		if err != nil || at != folder {
			continue
		}
		var pid int
		if _, err := fmt.Sscanf(link, "/proc/%d/cwd", &pid); err == nil && pid != os.Getpid() {
			if syscall.Kill(pid, syscall.SIGKILL) == nil {
				return 1
			}
		}
	}
	return 0
}
