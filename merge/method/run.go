package method

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"soup/merge"
)

// runMethod gives weights of any scale to n checkpoints, oldest first.
type runMethod struct {
	name    string
	takes   []string
	weights func(n int, o Options) []float64
}

var runMethods = []runMethod{
	// The simple moving average of https://arxiv.org/abs/2505.12082, and of
	// https://arxiv.org/abs/2209.14981 (LAWA): 1/n.
	{"uniform", []string{"last"}, func(n int, _ Options) []float64 { return ones(n) }},
	// The weighted moving average of https://arxiv.org/abs/2505.12082:
	// proportional to the place, 1 to n.
	{"linear", []string{"last"}, func(n int, _ Options) []float64 { return growing(n) }},
	{"ema", []string{"last", "half-life"}, func(n int, o Options) []float64 { return exponential(n, o.halfLife()) }},
	{"wsm-1-sqrt", []string{"last"}, func(n int, _ Options) []float64 {
		return Decay(n, func(x float64) float64 { return 1 - math.Sqrt(x) })
	}},
	{"wsm-linear", []string{"last"}, func(n int, _ Options) []float64 {
		return Decay(n, func(x float64) float64 { return 1 - x })
	}},
	{"wsm-cosine", []string{"last"}, func(n int, _ Options) []float64 {
		return Decay(n, func(x float64) float64 { return (1 + math.Cos(math.Pi*x)) / 2 })
	}},
}

// RunNames returns the names that [Run] knows.
func RunNames() []string {
	names := make([]string, len(runMethods))
	for i, m := range runMethods {
		names[i] = m.name
	}
	return names
}

// Run returns the weights of n checkpoints of one training run, oldest first,
// at equal distances. They sum to 1; with the option last they are 0 up to the
// last ones. Unknown names and options are [InputError]s, and so is a last that
// is larger than n.
func Run(name string, n int, o Options) ([]float64, error) {
	i := slices.IndexFunc(runMethods, func(m runMethod) bool { return m.name == name })
	if i < 0 {
		return nil, misusef("use "+strings.Join(RunNames(), ", "), "method: %q is not known for a run", name)
	}
	m := runMethods[i]
	if err := o.check(name, m.takes); err != nil {
		return nil, err
	}
	last := n
	if o.Last > 0 {
		last = o.Last
	}
	switch {
	case n < 1:
		return nil, misusef("", "method %s: no checkpoints", name)
	case last > n:
		return nil, misusef("give more checkpoints", "method %s: option last: %d of %d checkpoints", name, last, n)
	}
	return append(make([]float64, n-last), scaled(m.weights(last, o))...), nil
}

// AlongRun returns the soup of a run's checkpoints, oldest first. Those without
// a weight are left out.
func AlongRun(name string, in Input, o Options) (Soup, error) {
	if err := in.check(name, 1); err != nil {
		return Soup{}, err
	}
	row, err := Run(name, len(in.Parents), o)
	if err != nil {
		return Soup{}, err
	}
	s := Soup{Method: name}
	if name == "ema" {
		s.Method = fmt.Sprintf("ema, half-life %v checkpoints", o.halfLife())
	}
	var kept []float64
	for k, w := range row {
		if w != 0 {
			s.Parents, s.Names, kept = append(s.Parents, in.Parents[k]), append(s.Names, in.Names[k]), append(kept, w)
		}
	}
	s.Recipe = merge.Recipe{Weights: [][]float64{kept}}
	return s, nil
}

func growing(n int) []float64 {
	row := make([]float64, n)
	for j := range row {
		row[j] = float64(j + 1)
	}
	return row
}

func (o Options) halfLife() float64 {
	if o.HalfLife == 0 {
		return 3
	}
	return o.HalfLife
}

// exponential halves the weights every halfLife checkpoints: w_j is
// proportional to 2^(-(n-1-j)/halfLife). This is the exponential moving average
// without the large weight that a recursion from the first checkpoint leaves
// there (https://arxiv.org/abs/1412.6980, section 3, corrects it the same way).
func exponential(n int, halfLife float64) []float64 {
	row := make([]float64, n)
	for j := range row {
		row[j] = math.Exp2(-float64(n-1-j) / halfLife)
	}
	return row
}

// Decay returns the weights of n checkpoints whose average is what the run
// would have come to with a decaying learning rate: WSM, Tian et al. 2025,
// https://arxiv.org/abs/2507.17634, theorem 3.1. The update from checkpoint i-1
// to i is in all checkpoints from i on, so the average holds it with the factor
// w_i = c_i + ... + c_(n-1). Given the factors, c_j = w_j - w_(j+1), with w_0 =
// 1 and w_n = 0; here w_i = curve(i/n). The curve must fall from 1 at 0 to 0
// at 1. The plain mean is the linear decay.
func Decay(n int, curve func(x float64) float64) []float64 {
	row := make([]float64, n)
	for j := range row {
		row[j] = curve(float64(j)/float64(n)) - curve(float64(j+1)/float64(n))
	}
	return row
}
