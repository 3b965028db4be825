package langdetect

import (
	"errors"
	"math"
	"strings"
	"testing"
)

// Expected: random.Random(0) of CPython 3.11.
func TestPython(t *testing.T) {
	p := newPython(0)
	for i, want := range []float64{0.8444218515250481, 0.7579544029403025, 0.420571580830845} {
		if got := p.uniform(); got != want {
			t.Errorf("random() %d is %v, want %v", i, got, want)
		}
	}
	p = newPython(0)
	for i, want := range []float64{0.9417154046806644, -1.3965781047011498, -0.6797144480784211} {
		if got := p.gauss(); math.Abs(got-want) > 1e-15 {
			t.Errorf("gauss(0, 1) %d is %v, want %v", i, got, want)
		}
	}
	p = newPython(0)
	for i, want := range []int{6, 6, 0, 4, 8, 7, 6, 4, 7, 5} {
		if got := p.below(10); got != want {
			t.Errorf("choice %d is %d, want %d", i, got, want)
		}
	}
}

// Expected: langdetect 1.0.9 with DetectorFactory.seed = 0.
func TestDetect(t *testing.T) {
	for text, want := range map[string]string{
		"The ferry leaves at nine.":      "en",
		"Das Schiff fährt um neun.":      "de",
		"THE FERRY LEAVES":               "en",
		"船は九時に出ます":                       "ja",
		"Le bateau part à neuf heures":   "fr",
		"Tàu khởi hành lúc chín giờ":     "vi",
		"پرواز ساعت نه حرکت می\u200cکند": "fa",
		"ok":      "sk",
		"zzz qqq": "sq",
		"see http://example.org/a?b now mail me@example.org": "en",
	} {
		for range 2 {
			if got, err := Detect(text); got != want || err != nil {
				t.Errorf("%q is %q, %v, want %q", text, got, err, want)
			}
		}
	}
	if _, err := Detect("1234 !!"); !errors.Is(err, ErrNoLetters) {
		t.Errorf("digits: %v", err)
	}
}

func TestUnpackErrors(t *testing.T) {
	for _, broken := range [][]byte{nil, []byte("x"), packed[:len(packed)/2]} {
		if _, err := unpack(broken); err == nil {
			t.Error("a broken table is read")
		}
	}
}

func BenchmarkDetect(b *testing.B) {
	text := strings.Repeat("The ferry leaves the harbour at nine. ", 40)
	for b.Loop() {
		if _, err := Detect(text); err != nil {
			b.Fatal(err)
		}
	}
}
