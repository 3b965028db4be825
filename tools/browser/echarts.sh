#!/bin/sh
# Builds results/page/assets/echarts.min.js: Apache ECharts with only what the
# HTML report draws. Same versions, same bytes.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=$here/../../results/page/assets
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$here/echarts.js" "$work/"
cd "$work"
npm install --silent --no-save --ignore-scripts echarts@5.6.0 zrender@5.6.1 tslib@2.3.0 esbuild@0.25.12 >&2
npx esbuild echarts.js --bundle --minify --format=iife --global-name=echarts --legal-comments=none --target=es2020 --outfile=echarts.min.js >&2
mv echarts.min.js "$out/echarts.min.js"
{
    cat node_modules/echarts/LICENSE
    for part in "d3 node_modules/echarts/licenses/LICENSE-d3" "zrender node_modules/zrender/LICENSE" "tslib node_modules/tslib/LICENSE.txt"; do
        printf '\n%s:\n' "${part%% *}"
        cat "${part#* }"
    done
} >"$out/echarts.LICENSE"
cp node_modules/echarts/NOTICE "$out/echarts.NOTICE"
