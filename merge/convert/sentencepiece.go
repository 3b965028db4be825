package convert

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"

	"google.golang.org/protobuf/encoding/protowire"

	"soup/merge/internal/remedy"
)

// sentencePiece is what a tokenizer.model says.
type sentencePiece struct {
	tokens []string
	scores []float32
	types  []int32 // numbered as in GGUF
	prefix bool
}

// readSentencePiece reads tokenizer.model; nil where there is none, or one of
// another format (Mistral's tekken and tiktoken files have the same name).
func readSentencePiece(dir string) (*sentencePiece, error) {
	path := filepath.Join(dir, "tokenizer.model")
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	s := &sentencePiece{prefix: true}
	if err := s.parse(text); err != nil {
		return nil, remedy.Errorf("copy the file from the model's page, or remove it where there is a tokenizer.json", "%s: %w", path, err)
	}
	return s, nil
}

// parse reads a ModelProto: pieces are field 1, normaliser options field 3.
// https://github.com/google/sentencepiece/blob/master/src/sentencepiece_model.proto
func (s *sentencePiece) parse(text []byte) error {
	err := fields(text, func(n protowire.Number, value []byte, number uint64) error {
		switch n {
		case 1:
			return s.piece(value)
		case 2:
			return fields(value, func(n protowire.Number, _ []byte, number uint64) error {
				if n == 3 && number != 2 { // trainer_spec.model_type
					return errors.New("not a BPE model")
				}
				return nil
			})
		case 3:
			return fields(value, func(n protowire.Number, _ []byte, number uint64) error {
				if n == 3 {
					s.prefix = number != 0
				}
				return nil
			})
		}
		return nil
	})
	if err == nil && len(s.tokens) == 0 {
		err = errors.New("no SentencePiece model")
	}
	return err
}

// piece reads text, score (as bits) and type of a piece.
func (s *sentencePiece) piece(text []byte) error {
	token, score, kind := "", float32(0), normalToken
	err := fields(text, func(n protowire.Number, value []byte, number uint64) error {
		switch n {
		case 1:
			token = string(value)
		case 2:
			score = math.Float32frombits(uint32(number))
		case 3:
			kind = int32(number)
		}
		return nil
	})
	s.tokens, s.scores, s.types = append(s.tokens, token), append(s.scores, score), append(s.types, kind)
	return err
}

// fields calls do with every field of a message.
func fields(text []byte, do func(n protowire.Number, value []byte, number uint64) error) error {
	for len(text) > 0 {
		n, kind, size := protowire.ConsumeTag(text)
		if size < 0 {
			return fmt.Errorf("broken: %w", protowire.ParseError(size))
		}
		text = text[size:]
		var value []byte
		var number uint64
		switch kind {
		case protowire.BytesType:
			value, size = protowire.ConsumeBytes(text)
		case protowire.VarintType:
			number, size = protowire.ConsumeVarint(text)
		case protowire.Fixed32Type:
			var bits uint32
			bits, size = protowire.ConsumeFixed32(text)
			number = uint64(bits)
		default:
			size = protowire.ConsumeFieldValue(n, kind, text)
		}
		if size < 0 {
			return fmt.Errorf("broken: %w", protowire.ParseError(size))
		}
		text = text[size:]
		if err := do(n, value, number); err != nil {
			return err
		}
	}
	return nil
}

// vocabulary is a tokenizer of which there is no tokenizer.json.
func (s *sentencePiece) vocabulary() *vocabulary {
	return &vocabulary{model: "llama", pre: "default", tokens: s.tokens, types: s.types, scores: s.scores, prefix: s.prefix}
}
