#!/bin/sh
# Runs every fuzz target of the repository for FUZZTIME (default 30m), one after the other.
# Goroutines make coverage vary, so minimising is bounded by a count: by time it would take a minute an input.
set -eu
cd "$(dirname "$0")/.."
grep -rHo --include='*_test.go' '^func Fuzz[A-Za-z]*' . | while IFS=: read -r file target; do
	target=${target#func }
	echo "== $(dirname "$file"): $target"
	go test "$(dirname "$file")" -run '^$' -fuzz "^$target\$" -fuzztime "${FUZZTIME:-30m}" -fuzzminimizetime 20x </dev/null
done
