package torchfile

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"soup/merge/internal/remedy"
)

// maxPickle bounds data.pkl, of which a tensor takes about 150 bytes.
const maxPickle = 64 << 20

// legacyMagic begins what torch.save wrote before version 1.6: the pickled
// MAGIC_NUMBER 0x1950a86a20f9469cfc6c of torch/serialization.py.
var legacyMagic = []byte("\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19")

// span is a range of bytes of the file.
type span struct{ begin, size int64 }

func (s span) end() int64 { return s.begin + s.size }

// archive is what torch.save wrote, its records found but not read.
type archive struct {
	pickle []byte
	data   map[string]span // storages by key
}

// openArchive finds the records of a file of that size.
func openArchive(r io.ReaderAt, size int64) (*archive, error) {
	if err := checkMagic(r, size); err != nil {
		return nil, err
	}
	z, err := zip.NewReader(r, size)
	if err != nil {
		return nil, remedy.Errorf(again, "not a whole zip archive: %w", err)
	}
	files, top, err := byName(z.File)
	if err != nil {
		return nil, err
	}
	for name := range files {
		if strings.HasPrefix(name, top+"/code/") || name == top+"/constants.pkl" {
			return nil, remedy.Errorf("save model.state_dict() instead, as safetensors", "a TorchScript archive: it holds a program (%s)", quote(name))
		}
	}
	if err := checkByteOrder(r, size, files[top+"/byteorder"]); err != nil {
		return nil, err
	}
	return readArchive(r, size, files, top)
}

// checkMagic tells a zip archive from what else is found under the same names.
func checkMagic(r io.ReaderAt, size int64) error {
	head := make([]byte, min(size, 64))
	if n, err := r.ReadAt(head, 0); err != nil && n < len(head) {
		return fmt.Errorf("cannot be read: %w", err)
	}
	switch {
	case size == 0:
		return remedy.Errorf(again, "empty file")
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		return nil
	case bytes.HasPrefix(head, []byte("\x80\x02")) && bytes.HasPrefix(head[2:], legacyMagic):
		return remedy.Errorf(resave, "saved in the legacy format, before torch 1.6")
	case bytes.HasPrefix(head, []byte("version https://git-lfs")):
		return remedy.Errorf("fetch it with git lfs pull", "a Git LFS pointer, not the file itself")
	}
	return remedy.Errorf(again+", or save it again with torch 1.6 or later", "not a zip archive as torch.save writes it")
}

// byName returns the files of an archive and the folder they lie in: that of
// the first, which is PyTorchStreamReader's rule.
func byName(list []*zip.File) (map[string]*zip.File, string, error) {
	if len(list) == 0 {
		return nil, "", remedy.Errorf(again, "a zip archive without files")
	}
	top, _, ok := strings.Cut(list[0].Name, "/")
	if !ok {
		return nil, "", remedy.Errorf(again, "not a zip archive as torch.save writes it: file %s lies in no folder", quote(list[0].Name))
	}
	files := make(map[string]*zip.File, len(list))
	for _, f := range list {
		if files[f.Name] != nil {
			return nil, "", remedy.Errorf(again, "record %s is there twice", quote(f.Name))
		}
		files[f.Name] = f
	}
	return files, top, nil
}

// checkByteOrder refuses big-endian storages. Archives before torch 2.1 have no
// such record and are little-endian.
func checkByteOrder(r io.ReaderAt, size int64, f *zip.File) error {
	if f == nil {
		return nil
	}
	order, err := read(r, size, f, 16)
	if err == nil && string(order) != "little" {
		err = remedy.Errorf("save it again on a little-endian machine", "byte order %s is not little", quote(string(order)))
	}
	return err
}

// readArchive reads the pickle and locates the storages.
func readArchive(r io.ReaderAt, size int64, files map[string]*zip.File, top string) (*archive, error) {
	main := files[top+"/data.pkl"]
	if main == nil {
		return nil, remedy.Errorf(again, "not a zip archive as torch.save writes it: no record %s", quote(top+"/data.pkl"))
	}
	a := &archive{data: map[string]span{}}
	var err error
	if a.pickle, err = read(r, size, main, maxPickle); err != nil {
		return nil, err
	}
	where := make([]place, 0, len(files))
	for name, f := range files {
		key, isData := strings.CutPrefix(name, top+"/data/")
		if !isData && f != main {
			continue
		}
		at, err := locate(f, size)
		if err != nil {
			return nil, err
		}
		where = append(where, place{at, name})
		if isData {
			a.data[key] = at
		}
	}
	return a, disjoint(where)
}

// place is a record and where it lies.
type place struct {
	span
	name string
}

// disjoint refuses records that share bytes, which no writer produces.
func disjoint(where []place) error {
	slices.SortFunc(where, func(a, b place) int {
		switch {
		case a.begin != b.begin && a.begin < b.begin, a.begin == b.begin && a.size < b.size:
			return -1
		case a.begin == b.begin && a.size == b.size:
			return strings.Compare(a.name, b.name)
		}
		return 1
	})
	for i := 1; i < len(where); i++ {
		if where[i].begin < where[i-1].end() {
			return remedy.Errorf(again, "record %s overlaps %s", quote(where[i].name), quote(where[i-1].name))
		}
	}
	return nil
}

// locate returns where a record's bytes lie, which must be in the file and as
// they are: neither compressed nor encrypted.
func locate(f *zip.File, size int64) (span, error) {
	switch {
	case f.Method != zip.Store || f.Flags&1 != 0:
		return span{}, remedy.Errorf("pack it again without compression, or "+resave, "record %s is compressed or encrypted", quote(f.Name))
	case f.CompressedSize64 != f.UncompressedSize64 || f.CompressedSize64 > math.MaxInt64:
		return span{}, remedy.Errorf(again, "record %s has two sizes, %d and %d bytes", quote(f.Name), f.CompressedSize64, f.UncompressedSize64)
	}
	begin, err := f.DataOffset()
	if err != nil {
		return span{}, remedy.Errorf(again, "record %s has no header where the archive says: %w", quote(f.Name), err)
	}
	n := int64(f.CompressedSize64)
	if begin < 0 || begin > size || n > size-begin {
		return span{}, remedy.Errorf(again, "record %s of %d bytes at %d ends beyond the file (%d bytes)", quote(f.Name), n, begin, size)
	}
	return span{begin, n}, nil
}

// read returns a record's bytes. Its checksum is not compared: torch.save
// leaves it out if told to (torch.serialization.set_crc32_options).
func read(r io.ReaderAt, size int64, f *zip.File, most int64) ([]byte, error) {
	at, err := locate(f, size)
	if err != nil {
		return nil, err
	}
	if at.size > most {
		return nil, remedy.Errorf(resave, "record %s has %d bytes, more than %d", quote(f.Name), at.size, most)
	}
	data := make([]byte, at.size)
	if n, err := r.ReadAt(data, at.begin); n < len(data) && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("record %s cannot be read: %w", quote(f.Name), err)
	} else if n < len(data) {
		return nil, remedy.Errorf(again, "the file became shorter while it was read")
	}
	return data, nil
}
