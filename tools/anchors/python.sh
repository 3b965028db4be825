#!/bin/sh
# Makes a Python environment with the benchmarks' own programs, which `make anchors` compares with, and prints the
# interpreter's path.
#   python.sh [DIR]     needs python3.11 with venv and pip; a minute or two, once
# DIR defaults to soup/anchors/python in the user's cache folder. An environment that exists already is used through
# SOUP_PYTHON=PATH, not through this script.
# What bfcl-eval would need to ask models is not installed.
set -eu
dir=${1:-${XDG_CACHE_HOME:-$HOME/.cache}/soup/anchors/python}
[ -e "$dir/complete" ] && { echo "$dir/bin/python"; exit 0; }
python3.11 -m venv "$dir" >&2
"$dir/bin/python" -m pip install -q tree_sitter==0.21.3 tree-sitter-java==0.21.0 tree-sitter-javascript==0.21.4 \
	tenacity==9.2.1 filelock==4.3.1 overrides==7.7.0 numpy==1.26.4 pandas==3.0.6 python-dotenv==1.2.4 tqdm==4.70.1 \
	tabulate==0.10.0 >&2
"$dir/bin/python" -m pip install -q --no-deps bfcl-eval==2026.3.23 >&2
touch "$dir/complete"
echo "$dir/bin/python"
