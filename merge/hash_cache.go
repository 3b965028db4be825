package merge

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"time"

	"soup/merge/internal/remedy"
)

// HashCache remembers the sha256 of weight files from one process to the next,
// in a JSON file, so that a study that goes on does not read its parents again.
// A file is known by its absolute path, size, modification time and inode (0
// where the system has none). What changes a file in place and puts size and
// modification time back is therefore not noticed.
//
// Its methods may be called concurrently, also on nil, which knows nothing.
type HashCache struct {
	path string

	mu      sync.Mutex
	known   cacheFile
	unsaved bool
}

// cacheVersion is that of the file's format; other versions are not read.
const cacheVersion = 1

// maxCacheFile is far above the cache of any study: 20 parents of 100 shards
// take 0.5 MB.
const maxCacheFile = 16 << 20

// cacheFile is the JSON.
type cacheFile struct {
	Version int                  `json:"version"`
	Files   map[string]knownFile `json:"files"` // by absolute path
	Scans   map[string]Findings  `json:"scans"` // by content hash; see [HashCache.Scan]
}

type knownFile struct {
	Size   int64  `json:"size"`
	MTime  int64  `json:"mtime"` // nanoseconds since 1970
	Inode  uint64 `json:"inode"`
	SHA256 string `json:"sha256"`
}

// OpenHashCache reads the cache at path, which need not exist. A cache is never
// in the way: a file that cannot be read or is none is an empty one.
func OpenHashCache(path string) *HashCache {
	return &HashCache{path: path, known: readCache(path)}
}

var hexSum = regexp.MustCompile(`^[0-9a-f]{64}$`)

// readCache reads what is valid in a cache file.
func readCache(path string) cacheFile {
	known := cacheFile{}
	if f, err := os.Open(path); err == nil {
		defer f.Close()
		raw, err := io.ReadAll(io.LimitReader(f, maxCacheFile+1))
		if err != nil || len(raw) > maxCacheFile || json.Unmarshal(raw, &known) != nil || known.Version != cacheVersion {
			known = cacheFile{}
		}
	}
	known.Version = cacheVersion
	if known.Files == nil {
		known.Files = map[string]knownFile{}
	}
	if known.Scans == nil {
		known.Scans = map[string]Findings{}
	}
	maps.DeleteFunc(known.Files, func(_ string, k knownFile) bool { return !hexSum.MatchString(k.SHA256) })
	return known
}

// Save writes what was learned since the last Save, beside what other processes
// have saved meanwhile: to a file beside it first, then renamed. The folder
// must exist.
func (h *HashCache) Save() error {
	if h == nil {
		return nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.unsaved {
		return nil
	}
	merged := readCache(h.path)
	maps.Copy(merged.Files, h.known.Files)
	maps.Copy(merged.Scans, h.known.Scans)
	text, err := json.MarshalIndent(merged, "", "  ")
	if err != nil {
		return err
	}
	if err := replaceFile(h.path, append(text, '\n')); err != nil {
		return err
	}
	h.unsaved = false
	return nil
}

// replaceFile makes path hold data, or leaves it as it is.
func replaceFile(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*.partial")
	if err != nil {
		return remedy.Opening(path, err)
	}
	defer os.Remove(f.Name()) // fails once it is renamed
	_, err = io.Copy(f, bytes.NewReader(data))
	if err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	return SyncDir(filepath.Dir(path))
}

// sum returns a weight file's sha256, reading it only if it is not known.
func (h *HashCache) sum(ctx context.Context, f *mapping) (string, error) {
	if sum, ok := h.lookup(f); ok {
		return sum, nil
	}
	started := time.Now()
	sum, err := hashMapping(ctx, f)
	if err == nil {
		h.learn(f, sum, started)
	}
	return sum, err
}

// lookup returns the known sha256 of a file that is still the one mapped.
func (h *HashCache) lookup(f *mapping) (string, bool) {
	path, now, ok := h.describe(f)
	if !ok || f.released() { // hashing a closed checkpoint is an error
		return "", false
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	k, ok := h.known.Files[path]
	now.SHA256 = k.SHA256
	return k.SHA256, ok && k == now
}

// settled is how long a file must have been left alone: another change within
// the same tick of a coarse clock (2 s on FAT) would not show in its
// modification time. Git calls such entries racy:
// https://git-scm.com/docs/racy-git
const settled = 2 * time.Second

// learn puts a file in that did not change while it was hashed.
func (h *HashCache) learn(f *mapping, sum string, started time.Time) {
	path, now, ok := h.describe(f)
	if !ok || f.info.ModTime().After(started.Add(-settled)) {
		return
	}
	now.SHA256 = sum
	h.mu.Lock()
	defer h.mu.Unlock()
	h.known.Files[path], h.unsaved = now, true
}

// describe returns how a mapped file is known, unless another one has taken
// its path or it has changed since it was mapped.
func (h *HashCache) describe(f *mapping) (string, knownFile, bool) {
	if h == nil {
		return "", knownFile{}, false
	}
	path, err := filepath.Abs(f.path)
	if err != nil {
		return "", knownFile{}, false
	}
	now, err := os.Stat(path)
	if err != nil || !os.SameFile(now, f.info) || now.Size() != f.info.Size() || !now.ModTime().Equal(f.info.ModTime()) {
		return "", knownFile{}, false
	}
	return path, knownFile{Size: now.Size(), MTime: now.ModTime().UnixNano(), Inode: inode(now)}, true
}

// Scan is [Scan], remembered by content hash: what was looked through once is
// not read again.
func (h *HashCache) Scan(ctx context.Context, c *Checkpoint) (Findings, error) {
	if h == nil {
		return Scan(ctx, c)
	}
	sums, err := HashAll(ctx, []*Checkpoint{c}, h)
	if err != nil {
		return nil, err
	}
	if found, ok := h.scanned(sums[0]); ok {
		for i := range found {
			found[i].Parent = c.path
		}
		return found, nil
	}
	found, err := Scan(ctx, c)
	if err == nil {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.known.Scans[sums[0]], h.unsaved = withoutPath(found), true
	}
	return found, err
}

// scanned returns a copy of what an earlier scan found.
func (h *HashCache) scanned(sum string) (Findings, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	found, ok := h.known.Scans[sum]
	return append(Findings(nil), found...), ok
}

// withoutPath forgets where the checkpoint lay.
func withoutPath(found Findings) Findings {
	out := append(Findings{}, found...)
	for i := range out {
		out[i].Parent = ""
	}
	return out
}
