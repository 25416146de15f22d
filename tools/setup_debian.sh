#!/bin/sh
# setup_debian.sh: installs the Debian or Ubuntu packages that let every test run, and says which. Needs root or sudo.
#   tshark         decodes our datagrams in the interoperability tests
#   libcoap3-bin   an independent CoAP client and server
set -eu

missing=
for package in tshark libcoap3-bin; do
    dpkg -s "$package" >/dev/null 2>&1 || missing="$missing $package"
done
if [ -z "$missing" ]; then
    echo "tshark and libcoap3-bin are installed"
    exit 0
fi
echo "installing Debian packages:$missing"

if [ "$(id -u)" = 0 ]; then
    as_root="env DEBIAN_FRONTEND=noninteractive"
elif command -v sudo >/dev/null; then
    as_root="sudo env DEBIAN_FRONTEND=noninteractive"
else
    echo "this needs root and there is no sudo: run it as root, or leave the tests that need$missing to be skipped" >&2
    exit 2
fi
$as_root apt-get update -qq
# shellcheck disable=SC2086 # both are lists of words
$as_root apt-get install -y -qq --no-install-recommends $missing </dev/null
