package study

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"soup/results"
)

// BenchmarkQueue has the same study searched by the embedded engine directly and over
// the queue, with the coordinator's own worker only, in SOUP_PAIRS pairs (default 3)
// whose order alternates. It reports the ratios of the search's time and of the
// processors' time: the median, and the quartiles around it.
func BenchmarkQueue(b *testing.B) {
	pairs := 3
	if given, err := strconv.Atoi(os.Getenv("SOUP_PAIRS")); err == nil {
		pairs = given
	}
	file := benchStudy(b)
	for b.Loop() {
		var wall, cpu []float64
		for i := range pairs {
			var took [2][2]float64 // directly, over the queue
			for _, queue := range []int{i % 2, 1 - i%2} {
				took[queue][0], took[queue][1] = searchTime(b, file, queue == 1)
			}
			wall, cpu = append(wall, took[1][0]/took[0][0]), append(cpu, took[1][1]/took[0][1])
			b.Logf("pair %d: %.2f s directly, %.2f s over the queue; of CPU %.2f and %.2f s", i, took[0][0], took[1][0], took[0][1], took[1][1])
		}
		for name, ratios := range map[string][]float64{"time": wall, "CPU": cpu} {
			slices.Sort(ratios)
			for i, which := range []string{"lower", "median", "upper"} {
				b.ReportMetric(ratios[(i+1)*(pairs-1)/4], which+"-"+name)
			}
		}
	}
}

// benchStudy is one whose candidates take about a third of a second.
func benchStudy(b *testing.B) string {
	b.Helper()
	root, err := filepath.Abs(garden)
	if err != nil {
		b.Fatal(err)
	}
	text := fmt.Sprintf(`study: queue
parents: %[1]s/finetune/[ao]*
benchmarks: [{file: %[1]s/data/arith.jsonl}, {file: %[1]s/data/choice.jsonl}]
strategies: [{random: {budget: 12}}]
`, root)
	file := filepath.Join(b.TempDir(), "queue.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		b.Fatal(err)
	}
	return file
}

// searchTime runs the study anew and returns what its search took, in seconds: from
// the first candidate to the last, and of the processors from begin to end.
func searchTime(b *testing.B, file string, queue bool) (wall, cpu float64) {
	b.Helper()
	c, err := ReadConfig(file)
	if err != nil {
		b.Fatal(err)
	}
	o := RunOptions{Dir: b.TempDir()}
	if queue {
		o.Fleet = &Fleet{}
	}
	before := processorTime(b)
	if err := Run(b.Context(), c, o); err != nil {
		b.Fatal(err)
	}
	cpu = (processorTime(b) - before).Seconds()
	l, err := results.OpenReadOnly(o.Dir)
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	trials, err := l.Trials()
	if err != nil {
		b.Fatal(err)
	}
	return trials[len(trials)-1].Finished.Sub(trials[0].Started).Seconds(), cpu
}

func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
