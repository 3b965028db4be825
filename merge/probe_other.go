//go:build !linux

package merge

// reside returns unknown: only Linux is asked.
func reside(window) residency { return unknown }

// announce does nothing: the system reads ahead as it likes.
func (*window) announce() {}
