#!/bin/sh
# Resolve pyproject.toml into the hash-locked sets: one file for Linux and macOS, Python 3.11 up.
# No address of an index is written: the installer's own is used.
set -eu
cd "$(dirname "$0")/.."

lock() {
    .venv/bin/uv pip compile --quiet --universal --python-version 3.11 \
        --generate-hashes --no-emit-index-url --no-emit-find-links \
        --custom-compile-command "make lock" --upgrade "$@" >/dev/null
}

lock pyproject.toml --output-file requirements/core.txt
lock pyproject.toml --extra postgres --constraints requirements/core.txt \
    --output-file requirements/postgres.txt
lock pyproject.toml --extra git --constraints requirements/core.txt \
    --output-file requirements/git.txt
lock pyproject.toml --extra semantic --constraints requirements/core.txt \
    --output-file requirements/semantic.txt
lock pyproject.toml --extra semantic-static --constraints requirements/core.txt \
    --constraints requirements/semantic.txt --output-file requirements/semantic-static.txt
lock pyproject.toml --extra qdrant --constraints requirements/core.txt \
    --constraints requirements/semantic-static.txt --output-file requirements/qdrant.txt
lock pyproject.toml --extra jwt --constraints requirements/core.txt \
    --output-file requirements/jwt.txt
lock --group build --constraints requirements/core.txt --output-file requirements/build.txt
lock pyproject.toml --group dev --group build \
    --constraints requirements/postgres.txt --constraints requirements/git.txt \
    --constraints requirements/jwt.txt --constraints requirements/build.txt --constraints requirements/semantic.txt \
    --constraints requirements/semantic-static.txt --constraints requirements/qdrant.txt \
    --output-file requirements/dev.txt
lock --group javascript --output-file requirements/javascript.txt
lock --group local --no-deps --output-file requirements/local.txt
