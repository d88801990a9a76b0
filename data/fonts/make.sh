#!/bin/sh
# Makes Inter-Regular.otf, the subset that the charts embed, from Debian's fonts-inter 4.0~beta7+ds-1.
# Needs apt-get, dpkg-deb and fonttools 4.68.0 (pip install fonttools==4.68.0); writes beside itself.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
cd "$work"
apt-get download "fonts-inter=4.0~beta7+ds-1"
dpkg-deb -x fonts-inter_*.deb .
# Latin, Turkish, typographic marks, superscript and subscript digits, the signs of the axes' titles.
pyftsubset usr/share/fonts/opentype/inter/Inter-Regular.otf \
    --unicodes='U+20-7E,U+A0-FF,U+11E-11F,U+130-131,U+15E-15F,U+2010-2015,U+2018-201E,U+2022,U+2026,U+2030,U+2032,U+2033,U+2070,U+2074-208E,U+2192,U+2212,U+2248,U+2260,U+2264-2265,U+221A,U+221E' \
    --layout-features='' --no-hinting --desubroutinize --name-IDs='*' --notdef-outline \
    --output-file="$here/Inter-Regular.otf"
rm -rf "$work"
