package study

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"soup/internal/usage"
	"soup/merge"
)

// The names of what a study keeps in its folder beside the ledger.
const (
	winnerName    = "winner"            // the exported soup; a .gguf file where parents are
	cacheName     = "cache"             // converted checkpoints
	bufferName    = "candidate"         // .gguf: the candidate being tried
	directoryName = "candidate"         // likewise, for servers that load directories
	weightsName   = "model.safetensors" // in such a directory
	serverName    = "server"            // what a server that soup starts leaves: its log, its models
)

func (s *session) cache() string { return filepath.Join(s.dir, cacheName) }

func (s *session) winner() string {
	if s.pantry.source[0].Format() == merge.GGUF {
		return filepath.Join(s.dir, winnerName+".gguf")
	}
	return filepath.Join(s.dir, winnerName)
}

// weighty are those of them that checkDisk counts.
func (s *session) weighty() []string {
	paths := []string{filepath.Join(s.dir, winnerName), filepath.Join(s.dir, winnerName+".gguf"), s.cache()}
	for _, directories := range []bool{false, true} {
		paths = append(paths, potNames(s.dir, &pantry{directories: directories})...)
	}
	return paths
}

// ours are the paths in the study's folder that a study makes and removes.
func (s *session) ours() []string { return append(s.weighty(), filepath.Join(s.dir, serverName)) }

// checkPlaces refuses a folder in which the study would overwrite a
// checkpoint, or write into one.
func (s *session) checkPlaces() error {
	paths := []string{s.config.Base}
	for _, p := range s.config.Parents.List {
		paths = append(paths, p.Path)
	}
	for _, path := range paths {
		if path == "" {
			continue
		}
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		if info.IsDir() && within(path, s.dir) {
			return usage.Errorf("%s: the study's folder %s lies in this checkpoint; choose another --dir", path, s.dir)
		}
		for _, own := range s.ours() {
			if within(own, path) {
				return usage.Errorf("%s: this checkpoint lies where the study keeps its own files; choose another --dir", path)
			}
		}
	}
	return nil
}

// within reports whether path is dir or lies in it, links resolved.
func within(dir, path string) bool {
	rel, err := filepath.Rel(resolved(dir), resolved(path))
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}

// resolved is the absolute path without links, as far as it exists.
func resolved(path string) string {
	path, err := filepath.Abs(path)
	if err != nil {
		return path
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real
	}
	if parent := filepath.Dir(path); parent != path {
		return filepath.Join(resolved(parent), filepath.Base(path))
	}
	return path
}

// checkOurs refuses files of somebody else where a new study would put its own.
func (s *session) checkOurs() error {
	for _, own := range s.ours() {
		if exists(own) {
			return usage.Errorf("%s: is there already and is not of this study; move it, or choose another --dir", own)
		}
	}
	return nil
}

// sweep removes what a killed process left half-written.
func (s *session) sweep() error {
	var failed error
	for _, pattern := range []string{
		filepath.Join(s.dir, "."+winnerName+"*.partial*"), filepath.Join(s.cache(), "as-stored-*"), filepath.Join(s.cache(), ".*.gguf*"),
		filepath.Join(s.cache(), ".hashes.json.*.partial"),
	} {
		left, err := filepath.Glob(pattern)
		failed = errors.Join(failed, err)
		for _, path := range left {
			failed = errors.Join(failed, os.RemoveAll(path))
		}
	}
	return failed
}

// checkDisk says what the study takes and refuses a disk that cannot hold it:
// converted checkpoints (parents, base, winner, and a copy in another dtype),
// the candidates' pots and the winner, less what is there.
func (s *session) checkDisk() error {
	plan, err := merge.PlanFor(s.pantry.source, s.pantry.store, s.dir)
	if err != nil {
		return err
	}
	need := plan.DiskNeeded + int64(s.config.Server.pots())*plan.SoupBytes + s.converted(plan)
	left := need
	for _, own := range s.weighty() {
		left -= sizeOf(own)
	}
	plan.DiskNeeded = left
	for _, f := range plan.Findings() {
		if f.Code == "disk" { // a warning for one soup; a night would end in it
			f.Severity, f.Parent, f.Remedy = merge.Refuse, s.dir, "free space, or put the study on another disk with --dir"
			f.Message = fmt.Sprintf("disk too small: %.1f MB needed, %.1f MB free", float64(left)/1e6, float64(plan.DiskFree)/1e6)
		}
		s.pantry.found = append(s.pantry.found, f)
	}
	if err := refused(s.pantry.found); err != nil {
		return err
	}
	fmt.Fprintf(s.info, "soup: %d parents of %d parameters; averaging takes at most %.0f MB of memory beside the mapped files, the study %.0f MB of disk\n",
		plan.Parents, plan.Parameters, float64(plan.MemoryBytes)/1e6, float64(need)/1e6)
	return nil
}

// converted are the bytes of what is converted for the server.
func (s *session) converted(plan merge.Plan) (need int64) {
	if s.pantry.source[0].Format() == merge.GGUF || s.pantry.directories {
		return 0
	}
	for _, n := range plan.ParentBytes {
		need += n
	}
	need += plan.SoupBytes // the winner, converted
	if s.pantry.base != "" {
		need += plan.ParentBytes[0]
	}
	if s.pantry.store != merge.AsStored {
		need += 2 * plan.SoupBytes
	}
	for i, c := range s.pantry.source {
		if c.Format() == merge.Torch { // its copy as safetensors
			need += plan.ParentBytes[i]
		}
	}
	return need
}

// sizeOf adds up the bytes of the files at and below path.
func sizeOf(path string) (total int64) {
	_ = filepath.Walk(path, func(_ string, info os.FileInfo, err error) error {
		if err == nil && info.Mode().IsRegular() {
			total += info.Size()
		}
		return nil
	})
	return total
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}
