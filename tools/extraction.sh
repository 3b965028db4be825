#!/bin/sh
# Makes a Python environment with lm-eval and a checkout of simple-evals, with which `make agree-extraction` compares
# how answers are read, and prints the interpreter's path and the checkout's.
#   extraction.sh [DIR]     needs python3.11 or later with venv and pip, and git; a minute and 1 GB, once
# DIR defaults to soup/extraction in the user's cache folder.
set -eu
dir=${1:-${XDG_CACHE_HOME:-$HOME/.cache}/soup/extraction}
if [ ! -e "$dir/complete" ]; then
	python3 -m venv "$dir/python" >&2
	"$dir/python/bin/python" -m pip install -q lm-eval==0.4.13 >&2
	git clone -q https://github.com/openai/simple-evals "$dir/simple-evals" >&2
	git -C "$dir/simple-evals" checkout -q ee3b0318d8d1d9d72755a4120879be65f7c07e9e
	touch "$dir/complete"
fi
echo "$dir/python/bin/python $dir/simple-evals"
