package bench

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"soup/search"
)

// Other programs are told what soup's strategies are told.
func TestAnswers(t *testing.T) {
	var out bytes.Buffer
	in := strings.NewReader(`{"seed":3} {"seed":3,"weights":[1,1,1,1]} {"seed":4,"weights":[3,1,0,0]}`)
	if err := Answers(t.Context(), SearchOptions{Problems: []string{"inside"}, Items: 50}, in, &out); err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(&out)
	for _, want := range []struct {
		seed    uint64
		weights []float64
	}{{3, nil}, {3, []float64{0.25, 0.25, 0.25, 0.25}}, {4, []float64{0.75, 0.25, 0, 0}}} {
		var got Answered
		if err := d.Decode(&got); err != nil {
			t.Fatal(err)
		}
		w := landscapes()[0].world(want.seed, 50)
		expected := Answered{Parents: 4}
		if want.weights != nil {
			p := search.Point{Weights: [][]float64{want.weights}}
			expected.Score, expected.Regret = w.try(p).Score, 100*(w.best-w.truth(p))
		}
		if got != expected {
			t.Errorf("%v: %+v, want %+v", want, got, expected)
		}
	}
}

func TestAnswersRefuse(t *testing.T) {
	for _, c := range []struct {
		problems  []string
		questions string
		want      string
	}{
		{[]string{"inside"}, `{"seed":1,"weights":[1]}`, "question 1"},
		{[]string{"inside"}, `{"seed":1} {"seed":1,"weights":[0,0,0,0]}`, "question 2"},
		{[]string{"inside"}, `{"seed":`, "question 1"},
		{[]string{"inside", "edge"}, ``, "2 problems"},
		{[]string{"nowhere"}, ``, "nowhere"},
	} {
		err := Answers(t.Context(), SearchOptions{Problems: c.problems, Items: 10}, strings.NewReader(c.questions), &bytes.Buffer{})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v %s: %v", c.problems, c.questions, err)
		}
	}
}
