package torchfile

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"soup/merge/internal/remedy"
)

const (
	maxLine    = 1000     // bytes of a class's module or name, or of a number
	maxInteger = 255      // bytes of an integer; decoding one takes the square of its length
	maxFetched = 16 << 20 // bytes of strings that the memo may repeat
)

// literal is a string in the stream, or anything else, of which no more is known.
type literal struct {
	at, size uint32
	known    bool
}

// scanner walks a pickle without building anything. Of the stack it knows only
// whether the two topmost entries are strings, which is what names a class from
// protocol 4 on.
type scanner struct {
	all     []byte
	at      int
	top     [2]literal // the topmost last
	memo    []literal
	fetched int
}

// scan checks a pickle up to its STOP: opcodes, classes, declared lengths and
// memo indices. gopickle allocates lengths unseen, pushes None for indices that
// were never put, and lets some classes pass without asking.
func scan(pickle []byte) error {
	s := &scanner{all: pickle}
	for {
		at := s.at
		op, err := s.take(1)
		if err == nil && op[0] == opStop {
			return nil
		}
		if err == nil {
			err = s.step(op[0], forms[op[0]])
		}
		if err != nil {
			return fmt.Errorf("pickle, byte %d: %w", at, err)
		}
	}
}

// step passes over one opcode's operand.
func (s *scanner) step(op byte, f form) error {
	switch f.kind {
	case counted:
		return s.counted(f.width)
	case put:
		return s.put(f.width)
	case get:
		return s.get(f.width)
	case stackGlobal:
		return s.stackGlobal()
	case framed:
		return s.framed(f.width)
	}
	if op != opProto {
		s.push(literal{})
	}
	return s.other(op, f)
}

// other passes over the operands that are neither strings nor memo indices.
func (s *scanner) other(op byte, f form) error {
	switch f.kind {
	case plain:
		_, err := s.take(uint64(f.width))
		return err
	case integer:
		return s.integer(f.width)
	case line:
		_, err := s.line()
		return err
	case global:
		return s.global()
	case instance:
		if err := s.global(); err != nil {
			return err
		}
	}
	return remedy.Errorf(resave, "opcode 0x%02x does not belong in a state dict", op)
}

// take returns the next n bytes.
func (s *scanner) take(n uint64) ([]byte, error) {
	if left := uint64(len(s.all) - s.at); n > left {
		return nil, remedy.Errorf(again, "%d bytes announced, %d are left", n, left)
	}
	s.at += int(n)
	return s.all[s.at-int(n) : s.at], nil
}

// length reads an unsigned number. The lengths that are signed (BINSTRING,
// LONG4) come out too large when they are negative.
func (s *scanner) length(width int) (uint64, error) {
	b, err := s.take(uint64(width))
	if err != nil {
		return 0, err
	}
	var wide [8]byte
	copy(wide[:], b)
	return binary.LittleEndian.Uint64(wide[:]), nil
}

// counted passes over a string and remembers where it is.
func (s *scanner) counted(width int) error {
	n, err := s.length(width)
	if err != nil {
		return err
	}
	at := s.at
	if _, err = s.take(n); err == nil {
		s.push(literal{uint32(at), uint32(n), true})
	}
	return err
}

// framed checks a frame's length and goes on inside it.
func (s *scanner) framed(width int) error {
	n, err := s.length(width)
	if err != nil {
		return err
	}
	at := s.at
	_, err = s.take(n)
	s.at = at
	return err
}

// integer passes over a number of several bytes.
func (s *scanner) integer(width int) error {
	n, err := s.length(width)
	if err == nil && (n == 0 || n > maxInteger) {
		return remedy.Errorf(resave, "an integer of %d bytes", n)
	}
	if err == nil {
		_, err = s.take(n)
	}
	return err
}

// line returns what comes before the next newline.
func (s *scanner) line() (string, error) {
	rest := s.all[s.at:]
	n := bytes.IndexByte(rest[:min(len(rest), maxLine)], '\n')
	if n < 0 {
		return "", remedy.Errorf(again, "no end of line within %d bytes", min(len(rest), maxLine))
	}
	s.at += n + 1
	return string(rest[:n]), nil
}

// global checks the class that the next two lines name.
func (s *scanner) global() error {
	module, err := s.line()
	if err != nil {
		return err
	}
	name, err := s.line()
	if err != nil {
		return err
	}
	_, err = class(module, name)
	return err
}

// stackGlobal checks the class that the two topmost strings name.
func (s *scanner) stackGlobal() error {
	module, name := s.top[0], s.top[1]
	s.top = [2]literal{}
	if !module.known || !name.known {
		return remedy.Errorf(resave, "a class that is not named by two strings")
	}
	_, err := class(s.text(module), s.text(name))
	return err
}

func (s *scanner) text(l literal) string { return string(s.all[l.at:][:l.size]) }

func (s *scanner) push(l literal) { s.top = [2]literal{s.top[1], l} }

// put keeps the top of the stack. Picklers number without gaps.
func (s *scanner) put(width int) error {
	next := uint64(len(s.memo))
	i, err := next, error(nil)
	if width > 0 {
		i, err = s.length(width)
	}
	switch {
	case err != nil:
		return err
	case i > next:
		return remedy.Errorf(again, "memo index %d follows %d entries", i, next)
	case i == next:
		s.memo = append(s.memo, s.top[1])
	default:
		s.memo[i] = s.top[1]
	}
	return nil
}

// get pushes what was kept.
func (s *scanner) get(width int) error {
	i, err := s.length(width)
	if err != nil {
		return err
	}
	if i >= uint64(len(s.memo)) {
		return remedy.Errorf(again, "memo index %d of %d entries", i, len(s.memo))
	}
	s.push(s.memo[i])
	if s.fetched += int(s.memo[i].size); s.fetched > maxFetched {
		return remedy.Errorf(resave, "strings repeated to more than %d bytes", maxFetched)
	}
	return nil
}
