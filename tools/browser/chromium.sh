#!/bin/sh
# Prints the path of a Chromium. Installs Debian's where there is none and it may.
set -eu
for name in chromium chromium-browser google-chrome; do
    if command -v "$name"; then exit 0; fi
done
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    apt-get install -y --no-install-recommends chromium >&2
    exec sh -c 'command -v chromium'
fi
echo "chromium.sh: no Chromium on PATH: install one, or name it in SOUP_CHROMIUM" >&2
exit 1
