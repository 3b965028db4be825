package results

// Numbers as the text report writes them, for reports of other forms.

// Points is 100 times a mean score, to a tenth.
func Points(score float64) string { return points(score) }

// Signed is Points with a sign, for differences.
func Signed(delta float64) string { return signed(delta) }

// Interval is the 95 % interval in points.
func (d Difference) Interval() string { return d.interval() }

// Coefficient is a weight, to three digits.
func Coefficient(weight float64) string { return coefficient(weight) }

// Duration is a time in seconds for people.
func Duration(seconds float64) string { return duration(seconds) }
