package ollama

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/ollama/ollama/api"

	"soup/eval"
	"soup/eval/server/internal/gguf"
)

// folder is where the server keeps its blobs, on this host.
type folder struct{ blobs string }

// path is where the server looks for a blob ("sha256:..." as "sha256-...").
func (f *folder) path(digest string) string {
	return filepath.Join(f.blobs, strings.Replace(digest, ":", "-", 1))
}

// findFolder returns the folder that the server uses, if it is on this host and
// can be written to. One that the user named must be.
func (s *Server) findFolder(ctx context.Context) (*folder, error) {
	if s.options.Models != "" {
		f := &folder{filepath.Join(s.options.Models, "blobs")}
		if err := os.MkdirAll(f.blobs, 0o755); err != nil {
			return nil, fmt.Errorf("ollama: folder of models: %w", err)
		}
		used, err := s.uses(ctx, f)
		if err == nil && !used {
			err = fmt.Errorf("ollama: the server at %s does not keep its models in %s", s.options.URL, s.options.Models)
		}
		return f, err
	}
	if !onThisHost(s.options.URL) {
		return nil, nil
	}
	for _, models := range usualFolders() {
		f := &folder{filepath.Join(models, "blobs")}
		if info, err := os.Stat(f.blobs); err != nil || !info.IsDir() {
			continue
		}
		used, err := s.uses(ctx, f)
		if errors.Is(err, fs.ErrPermission) {
			continue
		}
		if used || err != nil {
			return f, err
		}
	}
	return nil, nil
}

func onThisHost(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}

// usualFolders are where Ollama keeps its models by default: what its own
// variable says, the user's home, and the home of the service on Linux.
func usualFolders() []string {
	var folders []string
	if named := os.Getenv("OLLAMA_MODELS"); named != "" {
		folders = append(folders, named)
	}
	if home, err := os.UserHomeDir(); err == nil {
		folders = append(folders, filepath.Join(home, ".ollama", "models"))
	}
	return append(folders, "/usr/share/ollama/.ollama/models")
}

// uses says whether the server sees a blob that is put into the folder.
func (s *Server) uses(ctx context.Context, f *folder) (bool, error) {
	content := []byte("soup looks whether this is the server's folder: " + rand.Text())
	sum := sha256.Sum256(content)
	digest := "sha256:" + hex.EncodeToString(sum[:])
	if err := os.WriteFile(f.path(digest), content, 0o600); err != nil {
		return false, fmt.Errorf("ollama: folder of models: %w", err)
	}
	defer os.Remove(f.path(digest))
	return s.sees(ctx, digest)
}

// sees says whether the server has a blob.
func (s *Server) sees(ctx context.Context, digest string) (bool, error) {
	err := s.control.Retry(ctx, func(ctx context.Context) error {
		return s.control.Once(ctx, http.MethodHead, "/api/blobs/"+digest, nil, nil)
	})
	if notFound(err) {
		return false, nil
	}
	return err == nil, err
}

// linkDigest is the one under which candidates are linked. It is of the name,
// not of any content; nothing compares it with the content of a blob that is
// there.
func (s *Server) linkDigest() string {
	sum := sha256.Sum256([]byte("soup candidate " + s.options.Name))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// putLink has the server see the file through a link, symbolic or hard, and says
// whether it does. The model is made only where the header is another one.
func (s *Server) putLink(ctx context.Context, path string, h *gguf.Header, anew bool) (bool, error) {
	digest := s.linkDigest()
	same := s.digest == digest && s.made == h && !anew
	if !same {
		if err := s.remove(ctx); err != nil { // with the link
			return false, err
		}
	}
	for _, link := range []func(string, string) error{os.Symlink, os.Link} {
		if err := s.folder.place(link, path, digest); err != nil {
			continue
		}
		seen, err := s.sees(ctx, digest)
		if err != nil {
			return false, err
		}
		if !seen {
			continue
		}
		if same {
			return true, nil
		}
		err = s.create(ctx, digest, h)
		if err != nil && strings.Contains(err.Error(), "permission denied") {
			continue
		}
		return err == nil, err
	}
	return false, s.folder.clear(digest)
}

// place puts a link to a file where the blob is looked for. Whoever has the file
// before it open goes on reading that.
func (f *folder) place(link func(old, new string) error, path, digest string) error {
	path, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	beside := filepath.Join(f.blobs, "soup-"+rand.Text())
	if err := link(path, beside); err != nil {
		return err
	}
	if err := os.Rename(beside, f.path(digest)); err != nil {
		return errors.Join(err, os.Remove(beside))
	}
	return removeLeft(beside)
}

// removeLeft removes what rename leaves: nothing, save where old and new were
// hard links to one file.
func removeLeft(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// clear removes the link.
func (f *folder) clear(digest string) error { return removeLeft(f.path(digest)) }

// putUpload sends the file, unless the server has it, and makes a model of it.
func (s *Server) putUpload(ctx context.Context, path string, h *gguf.Header, anew bool) error {
	digest, err := digestOf(ctx, path)
	if err != nil {
		return err
	}
	if s.digest == digest && s.made == h && !anew {
		return nil
	}
	if err := s.remove(ctx); err != nil { // with the blob before, so that nothing piles up
		return err
	}
	seen, err := s.sees(ctx, digest)
	if err != nil {
		return err
	}
	if !seen {
		if err := s.upload(ctx, path, digest); err != nil {
			return err
		}
	}
	return s.create(ctx, digest, h)
}

// upload sends the file; twice, where the connection failed.
func (s *Server) upload(ctx context.Context, path, digest string) error {
	return s.control.Retry(ctx, func(ctx context.Context) error {
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		err = s.blobs.CreateBlob(ctx, digest, f)
		var refused api.StatusError
		if errors.As(err, &refused) {
			return fmt.Errorf("ollama at %s: upload: %w: HTTP status %d: %s", s.options.URL, eval.ErrServer, refused.StatusCode, strings.Join(strings.Fields(refused.ErrorMessage), " "))
		}
		return s.control.Explain(ctx, err)
	})
}
