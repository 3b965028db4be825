package results

import (
	"fmt"
	"testing"
)

// The batch size that soup run records by default.
const benchBatch = 150

func benchOutcomes(from, n int) []Outcome {
	outcomes := make([]Outcome, n)
	for i := range outcomes {
		outcomes[i] = Outcome{
			Item: fmt.Sprintf("item-%05d", from+i), Category: "arith", State: OK, Score: 1, Soft: ptr(-.25),
			Answer: `{"name": "set_timer", "arguments": {"minutes": 5}}`, Finish: "stop", Latency: 1e7,
		}
	}
	return outcomes
}

// One durable batch, of a new trial each time.
func BenchmarkRecord(b *testing.B) {
	l := begun(b)
	batch := benchOutcomes(0, benchBatch)
	trial := -1
	for b.Loop() {
		trial++
		must(b, l.Start(candidate(trial)))
		must(b, l.Record(trial, Search, batch))
	}
	b.ReportMetric(float64(b.N*benchBatch)/b.Elapsed().Seconds(), "items/s")
}

// One durable start, the smallest write.
func BenchmarkStart(b *testing.B) {
	l := begun(b)
	trial := -1
	for b.Loop() {
		trial++
		must(b, l.Start(candidate(trial)))
	}
}

func BenchmarkOutcomes(b *testing.B) {
	l := begun(b)
	must(b, l.Start(candidate(0)))
	must(b, l.Record(0, Search, benchOutcomes(0, 900)))
	for b.Loop() {
		if _, err := l.Outcomes(0, Search); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCheck(b *testing.B) {
	l := begun(b)
	for trial := range 50 {
		must(b, l.Start(candidate(trial)))
		must(b, l.Record(trial, Search, benchOutcomes(0, 900)))
	}
	for b.Loop() {
		must(b, l.Check())
	}
}

func BenchmarkWriteText(b *testing.B) {
	r := gardenReport()
	for b.Loop() {
		must(b, WriteText(discard{}, r))
	}
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }
