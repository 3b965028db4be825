package convert

import (
	"context"
	"errors"
)

// WriteDirectory is to come.
func WriteDirectory(ctx context.Context, file, out, config string) error {
	return errors.New("not yet")
}
