#!/bin/sh
# Writes requirements.lock from the members' pyproject.toml files and the root's dev group. Pins that still fit are kept.
# Usage: deploy/local/lock.sh MEMBER...         (normally called by `make lock`)
# UPGRADE=all takes the newest of everything, UPGRADE=NAME of one package.
set -eu
cd "$(dirname "$0")/../.."
python=${PYTHON:-python3}

uv=.venv/bin/uv
if [ ! -x "$uv" ]; then
    [ -x .venv/bin/python ] || "$python" -m venv .venv
    .venv/bin/python -m pip install --quiet --disable-pip-version-check uv
fi

count=$#
for member in "$@"; do
    name=$(sed -n 's/^name = "\(.*\)"$/\1/p' "$member/pyproject.toml" | head -n 1)
    set -- "$@" "$member/pyproject.toml" --no-emit-package "$name"
done
shift "$count"
case ${UPGRADE:-} in
    "") ;;
    all) set -- "$@" --upgrade ;;
    *) set -- "$@" --upgrade-package "$UPGRADE" ;;
esac

"$uv" pip compile "$@" --group pyproject.toml:dev \
    --universal --python-version 3.11 --generate-hashes \
    --no-header --no-annotate --quiet --output-file requirements.lock
echo "requirements.lock: $(grep -c '==' requirements.lock) packages"
