#!/usr/bin/env bash
# Builds the software GPU into the folder $1, laid out as a CUDA toolkit: bin/nvcc, include/, lib64/lib{cuda,cublas,...}.so.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
toolkit="$1"
mkdir -p "$toolkit"/{bin,include,lib64}
ln -sfn lib64 "$toolkit/lib"

# Whole or not at all: a program that runs beside this loads its kernels through it.
printf '#!/bin/sh\nexec python3 "%s" "$@"\n' "$here/nvcc.py" >"$toolkit/bin/nvcc.$$"
chmod +x "$toolkit/bin/nvcc.$$"
mv "$toolkit/bin/nvcc.$$" "$toolkit/bin/nvcc"

stamp="$toolkit/driver-$(cat "$here"/build.sh "$here"/driver/* "$here"/device/{abi,intrinsics,cuda_fp16}.h | sha256sum | cut -c1-16)"
[ ! -e "$stamp" ] || exit 0
rm -f "$toolkit"/driver-*
partial="$(mktemp -d)"
trap 'rm -rf "$partial"' EXIT

# Every function that cudarc declares and that is not written here stops the program with its name.
version="$(grep -A1 '^name = "cudarc"' "$here/../../Cargo.lock" | sed -n 's/version = "\(.*\)"/\1/p')"
cudarc="$(ls -d "${CARGO_HOME:-$HOME/.cargo}"/registry/src/*/"cudarc-$version"/src | head -n 1)"
{
    echo 'void softgpu_missing(const char*);'
    for part in driver cublas cublaslt curand nvrtc runtime; do
        grep -ohE 'pub unsafe fn (cu|nvrtc)[A-Za-z0-9_]+' "$cudarc/$part/sys/mod.rs" | awk '{print $4}'
    done | sort -u | sed 's/.*/__attribute__((weak)) int &(void) { softgpu_missing("&"); return 999; }/'
} >"$partial/missing.c"
gcc -O1 -fPIC -w -c -o "$partial/missing.o" "$partial/missing.c"

architecture=()
[ "$(uname -m)" != x86_64 ] || architecture=(-march=x86-64-v3)
for source in "$here"/driver/*.cpp; do
    g++ -std=c++17 -O2 "${architecture[@]}" -fPIC -fopenmp -fvisibility=hidden -Wall -Wextra -Wno-unused-function \
        -c -o "$partial/$(basename "$source" .cpp).o" "$source"
done
g++ -shared -fopenmp -Wl,-soname,libsoftgpu.so -o "$partial/libsoftgpu.so" "$partial"/*.o -ldl
mv "$partial/libsoftgpu.so" "$toolkit/lib64/"
for name in cuda cublas cublasLt curand nvrtc cudart; do
    ln -sfn libsoftgpu.so "$toolkit/lib64/lib$name.so"
done
touch "$stamp"
