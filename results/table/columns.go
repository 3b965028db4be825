package table

import (
	"io"
	"os"
	"strconv"

	"github.com/vbauerster/mpb/v8/cwriter"
)

// The columns of a page: narrower than the first no table can be, and wider lines
// than the last nobody reads. Elsewhere than on a terminal they are always the
// same, so that equal studies give equal files.
const (
	leastColumns = 80
	mostColumns  = 200
	elsewhere    = 100
)

// Columns is how wide text on w may be: what the variable COLUMNS says, the width
// of the terminal, or 100 where w is none; at least 80 and at most 200.
func Columns(w io.Writer) int {
	if n, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil {
		return min(max(n, leastColumns), mostColumns)
	}
	if f, ok := w.(*os.File); ok {
		if n, _, err := cwriter.GetSize(int(f.Fd())); err == nil && n > 0 {
			return min(max(n, leastColumns), mostColumns)
		}
	}
	return elsewhere
}
