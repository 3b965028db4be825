package main

import "errors"

// asExit finds the exit code of a process in an error.
func asExit(err error, exit *interface{ ExitCode() int }) bool { return errors.As(err, exit) }
