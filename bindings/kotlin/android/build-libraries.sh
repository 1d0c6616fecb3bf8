#!/bin/sh
# Builds the library for four processors into src/main/jniLibs. Needs cargo-ndk and an NDK (r28 or later) in ANDROID_NDK_HOME, and
#   rustup target add aarch64-linux-android armv7-linux-androideabi x86_64-linux-android i686-linux-android
# The machines that test Fieldpost have no NDK, so this has not been run there.
set -eu
cd "$(dirname "$0")/../../.."
here=bindings/kotlin/android
# The API level is the minSdk of build.gradle.kts. One type of library alone: cargo leaves out the link-time optimisation of a library that
# is a Rust library too. The code is generated from another library, which is not stripped: see docs/bindings.md.
cargo ndk --platform 26 --output-dir "$here/src/main/jniLibs" \
    --target arm64-v8a --target armeabi-v7a --target x86_64 --target x86 \
    rustc --locked --profile mobile -p fieldpost-ffi --lib --crate-type cdylib
for library in "$here"/src/main/jniLibs/arm64-v8a/*.so "$here"/src/main/jniLibs/x86_64/*.so; do
    # Google Play refuses 64-bit libraries whose segments are not aligned to 16 KiB.
    segments=$("$ANDROID_NDK_HOME"/toolchains/llvm/prebuilt/*/bin/llvm-readelf -lW "$library")
    if ! echo "$segments" | awk '$1 == "LOAD" { found = 1; if ($NF !~ /^0x(4|8|c|10)000$/) bad = 1 } END { exit bad || !found }'; then
        echo "$library is not aligned to 16 KiB" >&2
        exit 1
    fi
done
