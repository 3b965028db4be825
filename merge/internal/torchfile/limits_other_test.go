//go:build !linux

package torchfile

var limitedBy = []string{"watch"}

func poor() error { return nil }
