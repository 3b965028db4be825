#!/bin/sh
# Makes a Python environment with the optimisers that tools/search/anchors.py compares with, and prints the interpreter's
# path.
#   python.sh [DIR]     needs python3.11 or later with venv and pip; 300 MB, once
# DIR defaults to soup/search/python in the user's cache folder.
set -eu
dir=${1:-${XDG_CACHE_HOME:-$HOME/.cache}/soup/search/python}
[ -e "$dir/complete" ] && { echo "$dir/bin/python"; exit 0; }
python3 -m venv "$dir" >&2
"$dir/bin/python" -m pip install -q optuna==5.0.0 cmaes==0.13.1 numpy==2.4.6 scipy==1.17.1 >&2
touch "$dir/complete"
echo "$dir/bin/python"
