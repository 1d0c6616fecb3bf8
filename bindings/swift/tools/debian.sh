#!/bin/sh
# Installs Swift 6 out of Debian 13 into a folder of its own, where the system has no Swift: 2.5 GB, in some minutes. Needs root and
# debootstrap. `cargo xtask bindings test --only swift` finds it there.
#
#   sh bindings/swift/tools/debian.sh [FOLDER]
set -eu

root=${1:-${XDG_CACHE_HOME:-$HOME/.cache}/fieldpost/bindings/debian-swift}
part=$root.part

rm -rf "$part"
mkdir -p "$(dirname "$root")"
debootstrap --variant=minbase --include=swiftlang,libc6-dev,g++ trixie "$part"
rm -rf "$part"/var/cache/apt/archives/*.deb "$root"
# It is there as a whole, or not at all.
mv "$part" "$root"
