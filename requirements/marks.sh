#!/bin/sh
# Print pytest's expression for the tests that this machine can run, and say which it cannot.
set -eu
cd "$(dirname "$0")/.."

marks="not nothing"

without() {
    marks="$marks and not $1"
    echo "tidegate: tests marked '$1' are left out: $2" >&2
}

reason=$(.venv/bin/python -c 'from tidegate.boot import local_model as m; print(m.available() or "")')
[ -z "$reason" ] || without engine "$reason"
command -v haproxy >/dev/null || without haproxy "haproxy is not installed"
echo "$marks"
