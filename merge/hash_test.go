package merge

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// aged writes a checkpoint whose weights were last changed an hour ago.
func aged(t testing.TB, seed uint64) string {
	t.Helper()
	dir := smallDir(t, seed, nil)
	age(t, filepath.Join(dir, weightsName), time.Hour)
	return dir
}

func age(t testing.TB, path string, by time.Duration) {
	t.Helper()
	at := time.Now().Add(-by).Truncate(time.Millisecond)
	if err := os.Chtimes(path, at, at); err != nil {
		t.Fatal(err)
	}
}

func hashes(t testing.TB, cache *HashCache, dirs ...string) []string {
	t.Helper()
	var parents []*Checkpoint
	for _, dir := range dirs {
		parents = append(parents, open(t, dir))
	}
	sums, err := HashAll(t.Context(), parents, cache)
	if err != nil {
		t.Fatal(err)
	}
	return sums
}

// TestHashDefinition computes the hash of a sharded checkpoint by hand: soups
// that were written record it, so it must stay what it is.
func TestHashDefinition(t *testing.T) {
	dir := sharded(t, 1, fullMap())
	names, err := filepath.Glob(filepath.Join(dir, "*.safetensors"))
	if err != nil || len(names) != 2 {
		t.Fatal(names, err)
	}
	var lines []string
	for _, path := range append(names, filepath.Join(dir, "config.json"), filepath.Join(dir, "tokenizer.json"), filepath.Join(dir, "tokenizer_config.json")) {
		data := read(t, path)
		lines = append(lines, fmt.Sprintf("%s %d %x\n", filepath.Base(path), len(data), sha256.Sum256(data)))
	}
	slices.Sort(lines)
	if want := fmt.Sprintf("%x", sha256.Sum256([]byte(strings.Join(lines, "")))); hashes(t, nil, dir)[0] != want {
		t.Errorf("%s, want %s", hashes(t, nil, dir)[0], want)
	}
	one := smallDir(t, 1, nil)
	data := read(t, filepath.Join(one, weightsName))
	lines = []string{fmt.Sprintf("model %d %x\n", len(data), sha256.Sum256(data))}
	for _, name := range []string{"config.json", "tokenizer.json", "tokenizer_config.json"} {
		data := read(t, filepath.Join(one, name))
		lines = append(lines, fmt.Sprintf("%s %d %x\n", name, len(data), sha256.Sum256(data)))
	}
	slices.Sort(lines)
	if want := fmt.Sprintf("%x", sha256.Sum256([]byte(strings.Join(lines, "")))); hashes(t, nil, one)[0] != want {
		t.Errorf("%s, want %s", hashes(t, nil, one)[0], want)
	}
}

func TestHashAll(t *testing.T) {
	a, b := open(t, sharded(t, 1, fullMap())), small(t, 2)
	unmapped, err := OpenWith(b.path, OpenOptions{Unmapped: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unmapped.Close() })
	sums, err := HashAll(t.Context(), []*Checkpoint{a, b, a, unmapped}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if sums[0] != sums[2] || sums[1] != sums[3] || sums[0] == sums[1] {
		t.Errorf("%v", sums)
	}
	if sum, err := open(t, b.path).Hash(t.Context()); err != nil || sum != sums[1] {
		t.Errorf("%s, %v", sum, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := HashAll(ctx, []*Checkpoint{small(t, 3)}, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	closed := small(t, 4)
	closed.Close()
	_, err = HashAll(t.Context(), []*Checkpoint{small(t, 5), closed}, nil)
	wantError(t, err, "closed")
	cut := small(t, 6)
	if err := os.Truncate(cut.files[0].path, 0); err != nil {
		t.Fatal(err)
	}
	_, err = cut.Hash(t.Context())
	wantError(t, err, cut.files[0].path, "became shorter")
}

func TestHashCacheSparesReading(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hashes.json")
	dir := aged(t, 1)
	cache := OpenHashCache(path)
	want := hashes(t, cache, dir)[0]
	if err := cache.Save(); err != nil {
		t.Fatal(err)
	}
	// Same size and modification time, other bytes: this is what the cache
	// cannot see, and what shows here that it does not read.
	weights := filepath.Join(dir, weightsName)
	info, err := os.Stat(weights)
	if err != nil {
		t.Fatal(err)
	}
	data := read(t, weights)
	data[len(data)-1] ^= 1
	write(t, weights, data)
	if err := os.Chtimes(weights, info.ModTime(), info.ModTime()); err != nil {
		t.Fatal(err)
	}
	if got := hashes(t, OpenHashCache(path), dir)[0]; got != want {
		t.Error("a known file was read again")
	}
	if got := hashes(t, nil, dir)[0]; got == want {
		t.Error("the file was not changed")
	}
	age(t, weights, time.Minute)
	if got := hashes(t, OpenHashCache(path), dir)[0]; got == want {
		t.Error("a file with another modification time was taken for the same")
	}
	write(t, filepath.Join(dir, "config.json"), []byte("{}"))
	if got, whole := hashes(t, OpenHashCache(path), dir)[0], hashes(t, nil, dir)[0]; got != whole {
		t.Error("a changed config.json was not noticed")
	}
}

// TestHashCacheIsCareful: nothing is remembered of files that were changed just
// now, that were replaced or changed after they were opened.
func TestHashCacheIsCareful(t *testing.T) {
	for name, disturb := range map[string]func(path string){
		"fresh":   func(path string) { age(t, path, time.Second) },
		"future":  func(path string) { age(t, path, -time.Hour) },
		"removed": func(path string) { _ = os.Remove(path) },
		"touched": func(path string) { age(t, path, 30*time.Minute) },
		"replaced": func(path string) { // another inode, and the old one stays open
			old := read(t, path)
			_ = os.Remove(path)
			write(t, path, old)
			age(t, path, time.Hour)
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := aged(t, 1)
			weights := filepath.Join(dir, weightsName)
			var c *Checkpoint
			if name == "fresh" || name == "future" {
				disturb(weights)
				c = open(t, dir)
			} else {
				c = open(t, dir)
				disturb(weights)
			}
			cache := OpenHashCache(filepath.Join(t.TempDir(), "hashes.json"))
			if _, err := HashAll(t.Context(), []*Checkpoint{c}, cache); err != nil {
				t.Fatal(err)
			}
			if len(cache.known.Files) != 0 || cache.Save() != nil {
				t.Errorf("remembered: %v", cache.known.Files)
			}
			if _, err := os.Stat(cache.path); !os.IsNotExist(err) {
				t.Error("written without need")
			}
		})
	}
}

// TestHashCacheKnowsFilesByAllOfThem changes one property at a time.
func TestHashCacheKnowsFilesByAllOfThem(t *testing.T) {
	dir := aged(t, 1)
	cache := OpenHashCache(filepath.Join(t.TempDir(), "hashes.json"))
	hashes(t, cache, dir)
	f := open(t, dir).files[0]
	if _, ok := cache.lookup(f); !ok || len(cache.known.Files) != 1 {
		t.Fatalf("not known: %v", cache.known)
	}
	for path, k := range cache.known.Files {
		for name, other := range map[string]knownFile{
			"size": {k.Size + 1, k.MTime, k.Inode, k.SHA256}, "mtime": {k.Size, k.MTime + 1, k.Inode, k.SHA256}, "inode": {k.Size, k.MTime, k.Inode + 1, k.SHA256},
		} {
			cache.known.Files[path] = other
			if _, ok := cache.lookup(f); ok {
				t.Errorf("%s does not count", name)
			}
		}
		cache.known.Files = map[string]knownFile{path + "x": k}
	}
	if _, ok := cache.lookup(f); ok {
		t.Error("the path does not count")
	}
}

func TestHashCacheFile(t *testing.T) {
	sum := strings.Repeat("a", 64)
	good := `{"version":1,"files":{"/x":{"size":1,"mtime":2,"inode":3,"sha256":"` + sum + `"},"/y":{"sha256":"short"}}}`
	for text, files := range map[string]int{
		"": 0, "{": 0, "null": 0, "[]": 0, "\x00\xff": 0, `{"version":2,"files":{}}`: 0, good: 1,
		strings.Replace(good, `"version":1`, `"version":7`, 1): 0, `{"version":1,"files":7}`: 0, `{"version":1}`: 0,
		good + strings.Repeat(" ", maxCacheFile): 0,
	} {
		path := write(t, filepath.Join(t.TempDir(), "hashes.json"), []byte(text))
		cache := OpenHashCache(path)
		if len(cache.known.Files) != files || cache.known.Scans == nil {
			t.Errorf("%.40q: %v", text, cache.known)
		}
		hashes(t, cache, aged(t, 1))
		if err := cache.Save(); err != nil {
			t.Fatal(err)
		}
		if again := OpenHashCache(path); files == 0 && len(again.known.Files) != 1 || files == 1 && !strings.Contains(string(read(t, path)), sum) {
			t.Errorf("%.40q: %v", text, again.known)
		}
	}
	dir := t.TempDir()
	if cache := OpenHashCache(dir); len(cache.known.Files) != 0 {
		t.Error("a folder is a cache")
	}
	lost := OpenHashCache(filepath.Join(dir, "not", "hashes.json"))
	hashes(t, lost, aged(t, 1))
	wantError(t, lost.Save(), "no such file")
	blocked := OpenHashCache(dir)
	hashes(t, blocked, aged(t, 1))
	if blocked.Save() == nil {
		t.Error("a folder was replaced")
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(dir), ".*.partial")); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
	if err := (*HashCache)(nil).Save(); err != nil {
		t.Error(err)
	}
}

// TestHashCacheTogether: several users of one file, each with a checkpoint of
// its own, lose nothing and leave no other file.
func TestHashCacheTogether(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hashes.json")
	shared := OpenHashCache(path)
	var wg sync.WaitGroup
	for seed := range uint64(8) {
		dir := aged(t, seed)
		wg.Go(func() {
			hashes(t, shared, dir)
			if err := shared.Save(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	other := OpenHashCache(path)
	hashes(t, other, aged(t, 100))
	hashes(t, shared, aged(t, 101))
	for _, c := range []*HashCache{other, shared} {
		if err := c.Save(); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(OpenHashCache(path).known.Files); n != 10 {
		t.Errorf("%d files are known, want 10", n)
	}
	if entries, _ := os.ReadDir(filepath.Dir(path)); len(entries) != 1 {
		t.Errorf("files: %v", entries)
	}
}

func TestHashCacheScan(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hashes.json")
	bad := fake{"bad", BF16, []int64{2}, []byte{0xc1, 0xff, 0, 0}}
	dir := directory(t, nil, bad)
	age(t, filepath.Join(dir, weightsName), time.Hour)
	cache := OpenHashCache(path)
	first, err := cache.Scan(t.Context(), open(t, dir))
	if err != nil || len(first) != 1 || first[0].Parent != dir {
		t.Fatalf("%v, %v", first, err)
	}
	if err := cache.Save(); err != nil || strings.Contains(string(read(t, path)), `"parent": "`+dir) {
		t.Errorf("%v, %s", err, read(t, path))
	}
	known := OpenHashCache(path)
	moved := filepath.Join(t.TempDir(), "moved")
	if err := os.CopyFS(moved, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	again, err := known.Scan(t.Context(), open(t, moved))
	if err != nil || len(again) != 1 || again[0].Parent != moved || again[0].Message != first[0].Message {
		t.Errorf("%v, %v", again, err)
	}
	if third, err := known.Scan(t.Context(), open(t, dir)); err != nil || third[0].Parent != dir {
		t.Errorf("%v, %v", third, err)
	}
	none, err := (*HashCache)(nil).Scan(t.Context(), open(t, dir))
	if err != nil || len(none) != 1 {
		t.Errorf("%v, %v", none, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := known.Scan(ctx, small(t, 9)); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	clean := OpenHashCache(path)
	if found, err := clean.Scan(t.Context(), small(t, 1)); err != nil || len(found) != 0 {
		t.Errorf("%v, %v", found, err)
	}
}

// BenchmarkHashAll hashes two checkpoints of 64 MB.
func BenchmarkHashAll(b *testing.B) {
	f := noise("w", BF16, 1, 1<<20)
	for range 5 {
		f.data = append(f.data, f.data...)
	}
	f.shape = []int64{32 << 20}
	raw := safetensorsBytes(f)
	var paths []string
	for range 2 {
		paths = append(paths, write(b, filepath.Join(b.TempDir(), "w.safetensors"), raw))
	}
	b.SetBytes(int64(len(paths) * len(raw)))
	for b.Loop() {
		hashes(b, nil, paths...)
	}
}
