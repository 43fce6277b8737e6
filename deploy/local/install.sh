#!/bin/sh
# Makes .venv from nothing but Python: uv out of the hash-locked requirements, then the rest, then the members.
# Usage: deploy/local/install.sh MEMBER...      (folders with a pyproject.toml; normally called by `make install`)
set -eu
cd "$(dirname "$0")/../.."
python=${PYTHON:-python3}
venv=.venv
log=$(mktemp)
trap 'rm -f "$log" "$log.uv"' EXIT

stop() {
    printf 'install: %s\n' "$*" >&2
    exit 1
}

new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

if ! new_enough "$python"; then
    for candidate in python3.14 python3.13 python3.12 python3.11 none; do
        if new_enough "$candidate"; then break; fi
    done
    [ "$candidate" != none ] || stop "Trellis needs Python 3.11 or later; '$python' is not. Set PYTHON=/path/to/python."
    python=$candidate
fi

# An environment whose interpreter is gone, or that was made in another place, can't be mended.
if [ -e "$venv" ]; then
    place=$(cat "$venv/.place" 2>/dev/null || pwd -P)
    if [ "$place" != "$(pwd -P)" ] || ! "$venv/bin/python" -c '' 2>/dev/null; then rm -rf "$venv"; fi
fi

if [ ! -x "$venv/bin/python" ]; then
    if ! "$python" -m venv "$venv" >"$log" 2>&1; then
        # Debian and Ubuntu split ensurepip off into a package of its own; the system's pip can stand in for it.
        rm -rf "$venv"
        if ! "$python" -m pip --version >/dev/null 2>&1; then
            cat "$log" >&2
            stop "'$python -m venv' failed and there is no pip to stand in for it." \
                "On Debian or Ubuntu: apt install python3-venv. Then run make again."
        fi
        "$python" -m venv --without-pip "$venv"
    fi
fi

# uv itself comes from the lock, with its hashes: the block that starts at "uv==".
awk '/^uv==/ { on = 1 } on { print } on && !/\\$/ { exit }' requirements.lock >"$log.uv"
[ -s "$log.uv" ] || stop "requirements.lock holds no uv; run make lock."
wanted=$(sed -n 's/^uv==\([^ ;]*\).*/\1/p' "$log.uv")
if [ "$("$venv/bin/uv" --version 2>/dev/null | cut -d' ' -f2)" != "$wanted" ]; then
    pip="$venv/bin/python -m pip"
    $pip --version >/dev/null 2>&1 || pip="$python -m pip --python $venv/bin/python"
    $pip install --quiet --disable-pip-version-check --no-deps --require-hashes --requirement "$log.uv"
fi

export VIRTUAL_ENV="$PWD/$venv"
"$venv/bin/uv" pip sync --quiet --require-hashes requirements.lock

editables=
for member in "$@"; do editables="$editables --editable ./$member"; done
# shellcheck disable=SC2086  # one word per option is wanted
"$venv/bin/uv" pip install --quiet --no-deps --no-build-isolation $editables
