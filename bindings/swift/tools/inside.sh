#!/bin/sh
# Runs a command in the Debian that debian.sh has installed. It sees the folders that are named under their own paths, and nothing that is
# mounted for it stays.
#
#   sh bindings/swift/tools/inside.sh ROOT FOLDER… -- COMMAND…
set -eu

if [ -z "${FIELDPOST_INSIDE:-}" ]; then
    user=$([ "$(id -u)" = 0 ] || echo --map-root-user)
    FIELDPOST_INSIDE=1 exec unshare --mount $user sh "$0" "$@"
fi

root=$1
shift
for folder in /proc /dev; do
    mount --rbind "$folder" "$root$folder"
done
while [ "$1" != -- ]; do
    mkdir -p "$root$1"
    mount --rbind "$1" "$root$1"
    shift
done
shift
unset FIELDPOST_INSIDE
exec chroot "$root" /usr/bin/env PATH=/usr/libexec/swift/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root "$@"
