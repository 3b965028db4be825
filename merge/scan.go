package merge

import (
	"context"
	"encoding/binary"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
)

// Scan reads all float tensors of a checkpoint and returns a finding for each
// that holds NaN or infinite values: they pass through every average. The
// error is that of ctx, or of a file that cannot be read.
func Scan(ctx context.Context, c *Checkpoint) (Findings, error) {
	per := make([]Findings, len(c.tensors))
	errs := make([]error, runtime.GOMAXPROCS(0))
	var next atomic.Int64
	var wg sync.WaitGroup
	for w := range errs {
		wg.Go(func() {
			errs[w] = guarded(c.files, func() error {
				for i := next.Add(1) - 1; i < int64(len(per)); i = next.Add(1) - 1 {
					if err := c.scanTensor(ctx, int(i), &per[i]); err != nil {
						return err
					}
				}
				return nil
			})
		})
	}
	wg.Wait()
	var found Findings
	for _, f := range per {
		found = append(found, f...)
	}
	for _, err := range errs {
		if err != nil {
			return found, err
		}
	}
	return found, nil
}

// scanTensor counts one tensor's values that are not finite.
func (c *Checkpoint) scanTensor(ctx context.Context, i int, found *Findings) error {
	t := c.tensors[i]
	if !t.DType.Averageable() {
		return nil
	}
	var nans, infs int64
	err := c.chunks(ctx, i, func(data []byte) {
		n, inf := countSpecial(data, t.DType)
		nans, infs = nans+n, infs+inf
	})
	if err != nil {
		return err
	}
	if nans+infs > 0 {
		*found = Findings{notFinite(c.path, t, nans, infs)}
	}
	return nil
}

func notFinite(path string, t Tensor, nans, infs int64) Finding {
	return Finding{
		"not-finite", Warn, path, t.Name,
		fmt.Sprintf("tensor %s holds %d NaN and %d infinite values of %d", t.Name, nans, infs, t.Elements()), "leave this parent out or repair it",
	}
}

// countSpecial counts NaNs and infinities: values whose exponent is all ones.
func countSpecial(data []byte, d DType) (nans, infs int64) {
	if d == F32 {
		for i := 0; i+4 <= len(data); i += 4 {
			b := binary.LittleEndian.Uint32(data[i:])
			if b&0x7f800000 == 0x7f800000 {
				count(b&0x7fffff != 0, &nans, &infs)
			}
		}
		return nans, infs
	}
	exponent, fraction := uint16(0x7f80), uint16(0x7f)
	if d == F16 {
		exponent, fraction = 0x7c00, 0x3ff
	}
	for i := 0; i+2 <= len(data); i += 2 {
		b := binary.LittleEndian.Uint16(data[i:])
		if b&exponent == exponent {
			count(b&fraction != 0, &nans, &infs)
		}
	}
	return nans, infs
}

func count(isNaN bool, nans, infs *int64) {
	if isNaN {
		*nans++
	} else {
		*infs++
	}
}
