#!/bin/sh
# setup_venv.sh FILE...: makes .venv if it is missing (or was made in another folder) and installs the pinned packages
# of each requirements FILE into it. The Makefile calls it; PYTHON=/path/to/python3 chooses the Python.
set -eu
cd "$(dirname "$0")/.."

fail() {
    echo "$1" >&2
    exit 2
}

find_python() {
    for name in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
        if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$name"
            return
        fi
    done
    fail "microlwm2m needs Python 3.11 or newer, and ${PYTHON:-python3} is $("${PYTHON:-python3}" --version 2>/dev/null || echo missing).
Install one (Debian, Ubuntu: apt-get install python3 python3-venv) or name one: make PYTHON=/path/to/python3.11 ..."
}

usable() {
    [ "$(cat .venv/.folder 2>/dev/null)" = "$(pwd -P)" ] && .venv/bin/python -m pip --version >/dev/null 2>&1
}

if ! usable; then
    python=$(find_python)
    "$python" -c 'import ensurepip, venv' 2>/dev/null ||
        fail "$("$python" --version) has no venv module (Debian, Ubuntu: apt-get install python3-venv), so .venv cannot be made."
    echo "making .venv with $("$python" --version)"
    "$python" -m venv --clear .venv
    pwd -P >.venv/.folder
fi

for file in "$@"; do
    echo "installing the packages of $file into .venv"
    .venv/bin/python -m pip install --quiet --disable-pip-version-check -r "$file" ||
        fail "pip could not install $file; its own words are above. This first step needs the internet, later runs do not: try again when there is a connection."
done
