package benchmarks

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// examples draws the examples before each document, in the order of documents
// (lm_eval/api/samplers.py).
type examples struct {
	task    *lmTask
	pool    []document
	random  pythonRandom
	exclude bool // the document that is asked about may be among them
}

func newExamples(t *lmTask, pool []document) *examples {
	return &examples{task: t, pool: pool, random: newPythonRandom(uint32(t.seed)), exclude: t.shots == t.test}
}

// before is the text of the examples before a document.
func (x *examples) before(doc document) (string, error) {
	if x.task.count == 0 {
		return "", nil
	}
	chosen, err := x.choose(doc)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for _, example := range chosen {
		text, err := x.task.turn(example)
		if err != nil {
			return "", fmt.Errorf("example: %w", err)
		}
		b.WriteString(text)
	}
	return b.String(), nil
}

func (x *examples) choose(doc document) ([]document, error) {
	n := x.task.count
	same := func(d document) bool { return reflect.DeepEqual(d, doc) }
	others := x.pool
	if x.exclude {
		others = slices.DeleteFunc(slices.Clone(x.pool), same)
	}
	if n > len(others) {
		return nil, fmt.Errorf("%d examples of %d documents", n, len(others))
	}
	if x.task.sampler == "first_n" {
		return others[:n], nil
	}
	if !x.exclude {
		return x.draw(x.pool, n), nil
	}
	if n+1 > len(x.pool) {
		return nil, fmt.Errorf("%d examples of %d documents, one of them asked about", n, len(x.pool))
	}
	chosen := slices.DeleteFunc(x.draw(x.pool, n+1), same)
	if len(chosen) < n { // the document was there more than once
		return x.draw(others, n), nil
	}
	return chosen[:n], nil
}

func (x *examples) draw(pool []document, n int) []document {
	var chosen []document
	for _, i := range x.random.sample(len(pool), n) {
		chosen = append(chosen, pool[i])
	}
	return chosen
}

// turn is an example with its answer (lm_eval/api/task.py,
// ConfigurableTask.build_qa_turn).
func (t *lmTask) turn(doc document) (string, error) {
	text, err := t.example.textOf(doc)
	if err != nil {
		return "", err
	}
	answer, err := t.example.answerOf(doc)
	if err != nil {
		return "", err
	}
	gen, err := t.exampleGen.textOr(doc)
	if err != nil {
		return "", err
	}
	if answer == "" {
		if gen == "" {
			return text, nil
		}
		if needsDelimiter(text, gen) {
			text += t.exampleTarget
		}
		return text + gen, nil
	}
	if gen == "" || needsDelimiter(text, gen) {
		text += t.exampleTarget
	}
	return text + joined(gen, answer) + t.exampleEnd, nil
}
