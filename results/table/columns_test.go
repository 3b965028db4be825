package table

import (
	"bytes"
	"testing"
)

func TestColumns(t *testing.T) {
	check := func(variable string, want int) {
		t.Helper()
		t.Setenv("COLUMNS", variable)
		if got := Columns(&bytes.Buffer{}); got != want {
			t.Errorf("COLUMNS=%s: %d, want %d", variable, got, want)
		}
	}
	check("", elsewhere)
	check("many", elsewhere)
	check("120", 120)
	check("20", leastColumns)
	check("1000", mostColumns)
}
