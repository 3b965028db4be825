//go:build browser

package page

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	cdp "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// The environment of make test-browser.
const (
	chromiumEnv = "SOUP_CHROMIUM" // the browser; default chromium on PATH
	pagesEnv    = "SOUP_PAGES"    // pages of real studies to look at besides, a list of paths
	picturesEnv = "SOUP_PICTURES" // folder for screenshots
)

// patience is how long a step may take on a busy machine.
const patience = time.Minute

// browser is a Chromium without a network.
type browser struct {
	context.Context
	mu       sync.Mutex
	troubles []string // errors, warnings, requests, dialogs
}

func start(t *testing.T) *browser {
	t.Helper()
	path := os.Getenv(chromiumEnv)
	if path == "" {
		path = "chromium"
	}
	path, err := exec.LookPath(path)
	if err != nil {
		t.Fatalf("%v: install Chromium, or name it in %s", err, chromiumEnv)
	}
	profile, err := os.MkdirTemp("", "soup-browser-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(profile) }) // not TempDir: processes of the browser may write into it a while yet
	allocator, cancel := chromedp.NewExecAllocator(t.Context(), append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(profile),
		chromedp.Flag("disable-quic", true), chromedp.Flag("no-first-run", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND"), chromedp.WSURLReadTimeout(2*time.Minute))...)
	t.Cleanup(cancel)
	b := &browser{}
	b.Context, cancel = chromedp.NewContext(allocator)
	t.Cleanup(cancel)
	chromedp.ListenTarget(b, b.hear)
	b.do(t, network.Enable(), log.Enable(), network.EmulateNetworkConditions(true, 0, 0, 0))
	return b
}

// hear notes what a page must not do.
func (b *browser) hear(event any) {
	trouble := ""
	switch e := event.(type) {
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.APITypeError || e.Type == runtime.APITypeWarning {
			trouble = fmt.Sprintf("console %s: %s", e.Type, e.Args[0].Value)
		}
	case *runtime.EventExceptionThrown:
		trouble = "exception: " + e.ExceptionDetails.Error()
	case *log.EventEntryAdded:
		if e.Entry.Level == log.LevelError || e.Entry.Level == log.LevelWarning {
			trouble = fmt.Sprintf("log %s: %s", e.Entry.Level, e.Entry.Text)
		}
	case *network.EventRequestWillBeSent:
		if !strings.HasPrefix(e.Request.URL, "file://") {
			trouble = "request of " + e.Request.URL
		}
	case *cdp.EventJavascriptDialogOpening:
		trouble = "dialog: " + e.Message
	}
	if trouble != "" {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.troubles = append(b.troubles, trouble)
	}
}

func (b *browser) do(t *testing.T, actions ...chromedp.Action) {
	t.Helper()
	ctx, cancel := context.WithTimeout(b, patience)
	defer cancel()
	if b.Err() == nil && chromedp.FromContext(b).Browser == nil {
		ctx = b // the first run starts the browser, which ends with its context
	}
	if err := chromedp.Run(ctx, actions...); err != nil {
		t.Fatal(err)
	}
}

// value evaluates an expression in the page.
func value[T any](t *testing.T, b *browser, expression string) (v T) {
	t.Helper()
	b.do(t, chromedp.Evaluate(expression, &v))
	return v
}

// show opens a file in a window of a width, light or dark.
func (b *browser) show(t *testing.T, file string, width int64, scheme string) {
	t.Helper()
	b.do(t, emulation.SetDeviceMetricsOverride(width, 900, 1, width < 500),
		emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}),
		chromedp.Navigate("file://"+file), chromedp.WaitVisible("#trials tbody tr", chromedp.ByQuery))
}

// quiet fails the test for everything that was heard.
func (b *browser) quiet(t *testing.T) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, trouble := range b.troubles {
		t.Error(trouble)
	}
	b.troubles = nil
}

// write puts a page into a folder of the test.
func write(t *testing.T, s Study) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "report.html")
	f, err := os.Create(file)
	if err == nil {
		err = Write(f, s)
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return file
}

// drawn says of each chart how many of its pixels are not the background's.
const drawn = `[...document.querySelectorAll(".drawings canvas")].map(c => {
	const p = c.getContext("2d").getImageData(0, 0, c.width, c.height).data;
	let n = 0;
	for (let i = 3; i < p.length; i += 4) if (p[i] > 0) n++;
	return n;
})`

func TestPageInBrowser(t *testing.T) {
	b := start(t)
	for name, evil := range map[string]bool{"plain": false, "hostile": true} {
		t.Run(name, func(t *testing.T) {
			file := write(t, sample(evil))
			b.show(t, file, 1280, "light")
			if charts := value[[]int](t, b, drawn); len(charts) != 12 || slices.Min(charts) < 1000 {
				t.Errorf("charts drawn: %v", charts)
			}
			checkTrials(t, b)
			checkItems(t, b)
			checkCandidate(t, b)
			checkTheme(t, b)
			if hacked := value[bool](t, b, `window.hacked !== undefined || document.querySelectorAll("img, script").length > 3`); hacked {
				t.Error("a name became markup")
			}
			b.quiet(t)
			pictures(t, b, "sample-"+name, file)
		})
	}
}

// column is a column of the table of candidates, from top to bottom.
func column(t *testing.T, b *browser, n int) []string {
	t.Helper()
	return value[[]string](t, b, fmt.Sprintf(`[...document.querySelectorAll("#trials tbody tr")].map(r => r.cells[%d].textContent)`, n))
}

func checkTrials(t *testing.T, b *browser) {
	t.Helper()
	scores := column(t, b, 4)
	if len(scores) != 40 || !slices.IsSortedFunc(scores[:38], func(x, y string) int { return strings.Compare(y, x) }) {
		t.Errorf("not sorted by search score: %q", scores)
	}
	b.do(t, chromedp.Click(`#trials thead th:nth-child(1) button`, chromedp.ByQuery))
	if numbers := column(t, b, 0); numbers[0] != "0" || numbers[39] != "39" {
		t.Errorf("not sorted by number: %q", numbers)
	}
	b.do(t, chromedp.SendKeys(`#trials thead th:nth-child(1) button`, "\r", chromedp.ByQuery)) // by keyboard, the other way round
	if numbers := column(t, b, 0); numbers[0] != "39" {
		t.Errorf("not sorted downwards: %q", numbers)
	}
	b.do(t, choose("trialstate", "failed"))
	if rows := column(t, b, 3); len(rows) != 1 || rows[0] != "failed" {
		t.Errorf("failed candidates: %q", rows)
	}
	b.do(t, choose("trialstate", ""), typed("trialtext", "candidate 12"))
	if rows := column(t, b, 0); len(rows) != 1 || rows[0] != "12" {
		t.Errorf("found: %q", rows)
	}
	b.do(t, typed("trialtext", ""))
}

// choose and typed set a filter as a user would.
func choose(id, v string) chromedp.Action {
	return chromedp.Evaluate(fmt.Sprintf(`{const e = document.getElementById(%q); e.value = %q; e.dispatchEvent(new Event("input"))}`, id, v), nil)
}

var typed = choose

const cards = `document.querySelectorAll("#itemlist .item").length`

func checkItems(t *testing.T, b *browser) {
	t.Helper()
	views := value[[]string](t, b, `[...document.querySelectorAll("#itemwhich option")].map(o => o.textContent)`)
	at := slices.Index(views, "soup wrong, best single right")
	if at < 0 || value[int](t, b, cards) != 20 {
		t.Fatalf("views %q, %d cards", views, value[int](t, b, cards))
	}
	want := 0
	s := sample(false)
	for i := range s.Items {
		w, p := s.Shown[0].List[i], s.Shown[1].List[i]
		if w.State == "ok" && w.Score == 0 && p.State == "ok" && p.Score == 1 && s.Items[i].Split == "test" {
			want++
		}
	}
	b.do(t, choose("itemwhich", fmt.Sprint(at)))
	if got := value[int](t, b, cards); want == 0 || got != want {
		t.Errorf("soup wrong, best single right: %d items, want %d", got, want)
	}
	b.do(t, choose("itemwhich", "0"), choose("itemsplit", ""), typed("itemtext", "what is 77+77"))
	if got := value[string](t, b, `document.querySelector("#itemlist").textContent`); value[int](t, b, cards) != 1 || !strings.Contains(got, "154") {
		t.Errorf("text filter: %q", got)
	}
	b.do(t, typed("itemtext", ""), choose("itemsplit", "test"))
}

func checkCandidate(t *testing.T, b *browser) {
	t.Helper()
	b.do(t, chromedp.Click(`#trials tbody tr[data-trial="7"] td:nth-child(2)`, chromedp.ByQuery), chromedp.WaitVisible("#candidate[open]", chromedp.ByQuery))
	if got := value[string](t, b, `document.querySelector("#candidate").textContent`); !strings.Contains(got, "Trial 7") || !strings.Contains(got, "not measured") {
		t.Errorf("candidate: %q", got)
	}
	b.do(t, chromedp.Click(`#candidatebody button`, chromedp.ByQuery), chromedp.WaitNotPresent("#candidate[open]", chromedp.ByQuery))
	if got := value[int](t, b, `[...document.querySelectorAll("#itemlist dt")].filter(d => d.textContent.startsWith("trial 7")).length`); got != 20 {
		t.Errorf("%d items of the candidate, want 20", got)
	}
}

func checkTheme(t *testing.T, b *browser) {
	t.Helper()
	const back = `getComputedStyle(document.body).backgroundColor`
	light := value[string](t, b, back)
	b.do(t, chromedp.Click("#theme", chromedp.ByQuery))
	if dark := value[string](t, b, back); dark == light {
		t.Error("the switch does not change the colours")
	}
	b.do(t, chromedp.Click("#theme", chromedp.ByQuery))
	if again := value[string](t, b, back); again != light {
		t.Error("the switch does not go back")
	}
}

// pictures takes screenshots at the widths of a desk and of a phone, in light and
// dark, and wants no page wider than the window.
func pictures(t *testing.T, b *browser, name, file string) {
	t.Helper()
	for _, width := range []int64{1280, 400} {
		for _, scheme := range []string{"light", "dark"} {
			b.show(t, file, width, scheme)
			if wide := value[int64](t, b, `document.documentElement.scrollWidth`); wide > width {
				t.Errorf("%s at %d: the page is %d wide", name, width, wide)
			}
			b.quiet(t)
			dir := os.Getenv(picturesEnv)
			if dir == "" {
				continue
			}
			var png []byte
			b.do(t, chromedp.FullScreenshot(&png, 100))
			if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%s-%d-%s.png", name, width, scheme)), png, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// Pages of real studies are quiet, too.
func TestRealPagesInBrowser(t *testing.T) {
	files := filepath.SplitList(os.Getenv(pagesEnv))
	if len(files) == 0 {
		return // make test-browser names those that make demo left
	}
	b := start(t)
	for _, file := range files {
		pictures(t, b, strings.TrimSuffix(filepath.Base(file), ".html"), file)
		if charts := value[[]int](t, b, drawn); len(charts) == 0 || slices.Min(charts) < 1000 {
			t.Errorf("%s: charts drawn: %v", file, charts)
		}
	}
}
