package fleet

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Files of the coordinator's are copied to workers piece by piece, through the object
// store of the queue, which splits pieces into messages of a size that every server
// takes and checks their SHA-256. A piece is there for the worker that asked for it,
// and until it has it: the coordinator's disk holds no second copy of a parent.

const (
	piece       = 8 << 20          // bytes; a copy that goes on loses no more than one
	piecesFor   = 10 * time.Minute // then a piece that nobody fetched is forgotten
	pieceWithin = 5 * time.Minute  // a coordinator that other workers ask too answers
)

// File is one of a set that a worker may copy.
type File struct {
	Name string `json:"name"` // without folders
	Size int64  `json:"size"` // bytes
	path string // at the coordinator
}

// FileAt is the file of a path, followed if it is a link.
func FileAt(path string) (File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return File{}, err
	}
	return File{filepath.Base(path), info.Size(), path}, nil
}

// Files is a set of files.
type Files []File

// Size is that of all, in bytes.
func (f Files) Size() (n int64) {
	for _, one := range f {
		n += one.Size
	}
	return n
}

// wanted asks for the list of a set, or for a piece of a file of it.
type wanted struct {
	Set  string `json:"set"`
	File string `json:"file,omitempty"`
	From int64  `json:"from,omitempty"`
}

// offered is the answer.
type offered struct {
	Files   Files  `json:"files,omitempty"`
	Object  string `json:"object,omitempty"`
	Refused string `json:"refused,omitempty"`
}

// offer answers who wants to copy files.
func (h *Hub) offer(m *nats.Msg) {
	var w wanted
	var o offered
	err := decode(m.Header, m.Data, &w)
	if err == nil {
		o, err = h.offered(w)
	}
	if err != nil {
		o.Refused = err.Error()
	}
	if answer, err := encode(m.Reply, o); err == nil {
		_ = m.RespondMsg(answer) // who does not get it asks again
	}
}

func (h *Hub) offered(w wanted) (o offered, err error) {
	if h.o.Files == nil {
		return o, errors.New("no files are copied from here")
	}
	files, err := h.o.Files(w.Set)
	if err != nil || w.File == "" {
		return offered{Files: files}, err
	}
	for _, f := range files {
		if f.Name == w.File && w.From >= 0 && w.From < f.Size {
			o.Object, err = h.putPiece(f, w.From)
			return o, err
		}
	}
	return o, fmt.Errorf("no byte %d of a file %q", w.From, w.File)
}

func (h *Hub) putPiece(f File, from int64) (string, error) {
	in, err := os.Open(f.path)
	if err != nil {
		return "", err
	}
	defer in.Close()
	ctx, cancel := context.WithTimeout(context.Background(), pieceWithin)
	defer cancel()
	store, err := h.js.ObjectStore(ctx, h.pieces())
	if err != nil {
		return "", err
	}
	name := rand.Text()
	_, err = store.Put(ctx, jetstream.ObjectMeta{Name: name}, io.NewSectionReader(in, from, piece))
	return name, err
}

// List is a set of files that the coordinator has, by the name of the set.
func (l *Link) List(ctx context.Context, set string) (Files, error) {
	o, err := l.want(ctx, wanted{Set: set})
	for _, f := range o.Files {
		if f.Name != filepath.Base(f.Name) || !filepath.IsLocal(f.Name) || f.Size < 0 {
			return nil, fmt.Errorf("the coordinator offers a file %q of %d bytes", f.Name, f.Size)
		}
	}
	return o.Files, err
}

// Copy copies a file of a set into a folder, in which it may be there in part. The
// caller knows by its content whether it is whole.
func (l *Link) Copy(ctx context.Context, set string, f File, dir string) error {
	out, err := os.OpenFile(filepath.Join(dir, f.Name), os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return err
	}
	defer out.Close()
	info, err := out.Stat()
	if err != nil {
		return err
	}
	at := min(info.Size(), f.Size)
	if at < f.Size {
		at -= at % piece // what was being written when it ended
	}
	if err := out.Truncate(at); err != nil {
		return err
	}
	for ; at < f.Size; at += piece {
		if err := l.copyPiece(ctx, wanted{set, f.Name, at}, out, min(piece, f.Size-at)); err != nil {
			return fmt.Errorf("%s: %w", f.Name, err)
		}
	}
	return out.Close()
}

// copyPiece tries until it has the piece; the coordinator may be away for a while.
func (l *Link) copyPiece(ctx context.Context, w wanted, out *os.File, size int64) error {
	for wait := shortestWait; ; wait = min(2*wait, longestWait) {
		o, err := l.want(ctx, w)
		if err != nil {
			return err
		}
		n, err := l.fetchPiece(ctx, o.Object, io.NewOffsetWriter(out, w.From))
		switch {
		case err == nil && n != size:
			return fmt.Errorf("%d bytes came from byte %d on, not %d: it has changed at the coordinator", n, w.From, size)
		case err == nil:
			return out.Sync()
		}
		if err := pause(ctx, wait); err != nil {
			return err
		}
	}
}

// fetchPiece takes an object out of the store. Its hash is compared at its end.
func (l *Link) fetchPiece(ctx context.Context, name string, out io.Writer) (int64, error) {
	within, cancel := context.WithTimeout(ctx, pieceWithin)
	defer cancel()
	store, err := l.js.ObjectStore(within, l.pieces())
	if err != nil {
		return 0, err
	}
	in, err := store.Get(within, name)
	if err != nil {
		return 0, err
	}
	defer in.Close()
	n, err := io.Copy(out, in)
	_ = store.Delete(within, name) // or it is forgotten after a while
	return n, err
}

// want asks until the coordinator answers or the study has ended.
func (l *Link) want(ctx context.Context, w wanted) (o offered, err error) {
	for {
		m, err := encode(l.subject("copy"), w)
		if err != nil {
			return o, err
		}
		within, cancel := context.WithTimeout(ctx, pieceWithin)
		answer, err := l.nc.RequestMsgWithContext(within, m)
		cancel()
		if err == nil {
			if err = decode(answer.Header, answer.Data, &o); err == nil && o.Refused != "" {
				err = errors.New("the coordinator: " + o.Refused)
			}
			return o, err
		}
		select {
		case <-ctx.Done():
			return o, ctx.Err()
		case <-l.over:
			return o, ErrEnded
		case <-time.After(time.Second):
		}
	}
}
