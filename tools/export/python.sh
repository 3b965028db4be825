#!/bin/sh
# Makes a Python environment with programs that read what `soup export` writes, and prints the interpreter's path.
#   python.sh optuna5|optuna4|mergekit [DIR]     needs python3.11 or later with venv and pip
# optuna5 and optuna4: a minute, 300 MB, the first also with the readers of model cards and of lm-evaluation-harness;
# mergekit: some minutes, 6 GB. DIR defaults to soup/export/NAME in the user's cache folder. An environment that exists
# already is used through the variables that `make agree-optuna` and `make agree-mergekit` name, not through this script.
set -eu
name=$1
dir=${2:-${XDG_CACHE_HOME:-$HOME/.cache}/soup/export/$name}
[ -e "$dir/complete" ] && { echo "$dir/bin/python"; exit 0; }
python3 -m venv "$dir" >&2
pip() { "$dir/bin/python" -m pip install -q "$@" >&2; }
case $name in
optuna5)
	pip optuna==5.0.0 optuna-dashboard==0.21.0 scipy==1.17.1 huggingface_hub==2.4.0 numpy==2.4.6 jinja2==3.1.6 \
		pytablewriter==1.2.1 pyyaml==6.0.4 requests==2.34.2
	pip --no-deps lm-eval==0.4.13
	;;
optuna4) pip optuna==4.9.0 optuna-dashboard==0.20.0 scipy==1.17.1 ;;
mergekit) pip mergekit==0.1.5 torch==2.15.0 transformers==5.24.0 safetensors==0.8.0 numpy==2.4.6 pydantic==2.14.4 accelerate==1.15.0 ;;
*) echo "python.sh: $name is none of optuna5, optuna4, mergekit" >&2; exit 2 ;;
esac
touch "$dir/complete"
echo "$dir/bin/python"
