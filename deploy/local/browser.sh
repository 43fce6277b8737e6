#!/bin/sh
# Makes sure that a Chromium is here for the tests of the portal: the machine's own, else Debian's package.
# Usage: deploy/local/browser.sh      (normally called by `make browser`)
set -eu
for program in chromium chromium-browser google-chrome; do
    if command -v "$program" >/dev/null 2>&1; then exit 0; fi
done
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    echo "There is no Chromium here. Install one (Debian, Ubuntu: apt install chromium)." >&2
    exit 1
fi
echo "Installing Chromium ..."
log=$(mktemp)
trap 'rm -f "$log"' EXIT
export DEBIAN_FRONTEND=noninteractive
if ! { apt-get update && apt-get install --yes --no-install-recommends chromium; } >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    exit 1
fi
