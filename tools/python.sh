#!/bin/sh
# Print the path of the newest Python that can run Carewright: 3.11 or newer, able to make virtual environments.
# A Python named as argument is taken alone. Without a fitting one, say in plain words what to install.
set -u
wanted="${1:-}"
best="" best_version=0 lacking="" seen=""

for name in ${wanted:-python3 python3.14 python3.13 python3.12 python3.11}; do
    version=$("$name" -c 'import sys; print(sys.version_info[0] * 100 + sys.version_info[1])' 2>/dev/null) || continue
    seen="$seen $name"
    [ "$version" -ge 311 ] || continue
    if ! "$name" -c 'import ensurepip, venv' 2>/dev/null; then
        lacking="$name"
    elif [ "$version" -gt "$best_version" ]; then
        best="$name" best_version="$version"
    fi
done

if [ -n "$best" ]; then
    command -v "$best"
elif [ -n "$lacking" ]; then
    echo "Carewright: $lacking cannot make virtual environments. On Debian or Ubuntu, run: sudo apt install python3-venv" >&2
    exit 1
else
    echo "Carewright needs Python 3.11 or newer (found:${seen:- none}). Install it from your system or python.org," \
        "or name one: make up PYTHON=/path/to/python3" >&2
    exit 1
fi
