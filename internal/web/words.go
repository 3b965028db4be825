package web

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
)

// points is 100 times a score, to a tenth and never -0.
func points(x float64) string { return fmt.Sprintf("%.1f", math.Round(1000*x)/10+0) }

func signed(x float64) string {
	return strings.Replace(fmt.Sprintf("%+.1f", math.Round(1000*x)/10+0), "-", "−", 1)
}

func count(n int) string { return humanize.Comma(int64(n)) }

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return count(n) + " " + noun + "s"
}

func bytesize(n int64) string { return humanize.Bytes(uint64(max(n, 0))) }

// roughly is a time to come, no more exact than it is known.
func roughly(d time.Duration) string {
	switch {
	case d <= 0:
		return ""
	case d < time.Minute:
		return "less than a minute"
	case d < 10*time.Minute:
		return "about " + plural(int(d.Round(time.Minute).Minutes()), "minute")
	case d < 90*time.Minute:
		return "about " + plural(int(d.Round(5*time.Minute).Minutes()), "minute")
	case d < 48*time.Hour:
		return fmt.Sprintf("about %.1f hours", d.Hours())
	}
	return fmt.Sprintf("about %.0f days", d.Hours()/24)
}

// spell is seconds that were spent.
func spell(seconds float64) string {
	d := time.Duration(seconds * float64(time.Second))
	switch {
	case d < time.Millisecond:
		return "0 s"
	case d < time.Minute:
		return fmt.Sprintf("%.2g s", d.Seconds())
	case d < time.Hour:
		return fmt.Sprintf("%d min %02d s", int(d.Minutes()), int(d.Seconds())%60)
	}
	return fmt.Sprintf("%d h %02d min", int(d.Hours()), int(d.Minutes())%60)
}

// short is a number for an axis: 1200, 45k, 1.5M.
func short(x float64) string {
	switch {
	case x >= 1e6:
		return trimZero(x/1e6) + "M"
	case x >= 1e4:
		return trimZero(x/1e3) + "k"
	}
	return trimZero(x)
}

func trimZero(x float64) string { return strings.TrimSuffix(fmt.Sprintf("%.1f", x), ".0") }
