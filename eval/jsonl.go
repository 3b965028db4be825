package eval

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"unicode/utf8"
)

const maxLine = 16 << 20 // bytes; a longer line is no item but a broken file

// ReadJSONL reads a JSON Lines file (https://jsonlines.org) and calls each with
// the number, from 1, and the value of every line that is not blank. Keys that T
// does not have are passed over. Errors, those of each included, begin with
// "path:line: ". A line has at most 16 MB.
func ReadJSONL[T any](path string, each func(line int, value T) error) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return readJSONL(f, path, each)
}

func readJSONL[T any](r io.Reader, name string, each func(line int, value T) error) error {
	scanner := bufio.NewScanner(r)
	scanner.Buffer(nil, maxLine)
	line := 0
	for scanner.Scan() {
		line++
		text := bytes.TrimSpace(scanner.Bytes())
		if line == 1 {
			text = bytes.TrimPrefix(text, []byte("\uFEFF"))
		}
		if len(text) == 0 {
			continue
		}
		var value T
		err := decodeLine(text, &value)
		if err == nil {
			err = each(line, value)
		}
		if err != nil {
			return fmt.Errorf("%s:%d: %w", name, line, err)
		}
	}
	if err := scanner.Err(); errors.Is(err, bufio.ErrTooLong) {
		return fmt.Errorf("%s:%d: line is longer than %d MB", name, line+1, maxLine>>20)
	} else if err != nil {
		return fmt.Errorf("%s:%d: %w", name, line+1, err)
	}
	return nil
}

func decodeLine(text []byte, value any) error {
	if !utf8.Valid(text) {
		return errors.New("line is not UTF-8 text")
	}
	if text[0] != '{' {
		return errors.New("line is not a JSON object")
	}
	err := json.Unmarshal(text, value)
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return fmt.Errorf("broken JSON at byte %d: %w", syntax.Offset, err)
	case errors.As(err, &kind):
		return fmt.Errorf("field %q is a %s, must be %s", kind.Field, kind.Value, kindName(kind))
	}
	return err
}

// kindName says in the words of JSON what a field must be.
func kindName(err *json.UnmarshalTypeError) string {
	switch err.Type.Kind().String() {
	case "slice":
		return "a list"
	case "struct", "map":
		return "an object"
	case "string":
		return "a string"
	default:
		return "a number"
	}
}
