"""A repository that is whole, one that says too much, and one that is damaged in every way."""

import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from dulwich.objects import Blob, Tag, Tree
from tests.prompts.repositories import FILES, LINK, SUBMODULE, Made, made

from tidegate.prompts.index import read_index
from tidegate.prompts.registry import read_prompt
from tidegate.prompts.source import MAX_FILE_BYTES, SourceError, find, open_repository


def read(path: Path, ref: str = "main") -> dict[str, str]:
    """Every version's digest; SourceError."""
    source = open_repository(path, ref)
    try:
        index = read_index(source)
        found = {}
        for name, listed in index.prompts.items():
            if listed.problems:
                raise SourceError(str(listed.problems[0]))
            for version in listed.versions:
                one = read_prompt(source, index, name, version)
                if one.held is None:
                    raise SourceError(str(one.problems[0]))
                found[f"{name}/{version}"] = one.held.prompt.digest
        for name, listed in index.prompts.items():
            found |= {f"{name}:{tag}": version for tag, version in listed.tags.items()}
        return found
    finally:
        source.close()


def test_a_branch_a_tag_a_full_name_and_a_commit(tmp_path: Path) -> None:
    repository = made(tmp_path / "a.git")
    first = repository.commit({}, "again")
    tag = Tag()
    tag.name, tag.object = b"rel-1", (type(repository.repo[first.encode()]), first.encode())  # type: ignore[assignment]
    tag.tagger, tag.tag_time, tag.tag_timezone, tag.message = b"A <a@b>", 1, 0, b"x"
    repository.repo.object_store.add_object(tag)
    repository.repo.refs[b"refs/tags/rel-1"] = tag.id  # type: ignore[index]
    refs = ("main", "refs/heads/main", "HEAD", "rel-1", "refs/tags/rel-1", first, first[:9])
    repository.repo.refs.set_symbolic_ref(b"HEAD", b"refs/heads/main")  # type: ignore[arg-type]
    commits = set()
    for ref in refs:
        source = open_repository(repository.path, ref)
        commits.add(source.commit)
        source.close()
    assert commits == {first}


def test_a_checkout_a_worktree_and_a_bare_one_are_read_the_same(tmp_path: Path) -> None:
    bare = made(tmp_path / "a.git")
    checkout = tmp_path / "checkout"
    shutil.copytree(bare.path, checkout / ".git")
    worktree = tmp_path / "worktree"
    worktree.mkdir()
    own = checkout / ".git/worktrees/w"
    own.mkdir(parents=True)
    (worktree / ".git").write_text(f"gitdir: {own}\n")
    (own / "commondir").write_text("../..\n")
    (own / "HEAD").write_text("ref: refs/heads/main\n")
    assert read(bare.path) == read(checkout) == read(worktree)


def test_packed_is_the_same_as_loose(tmp_path: Path) -> None:
    loose, packed = made(tmp_path / "a.git"), made(tmp_path / "b.git")
    packed.pack()
    assert list((packed.path / "objects/pack").glob("*.pack"))
    assert read(packed.path) == read(loose.path)


@pytest.mark.parametrize(
    "ref",
    [
        *(
            "--upload-pack=x",
            "-x",
            "a..b",
            "a/../b",
            "/a",
            "a//b",
            "a.lock",
            ".a",
            "a@{1}",
            "",
            "a b",
        ),
        *("https://example.com/a", "ext::sh -c x", "refs/heads/../../config", "main~1", "a\0b"),
        *("", "%2e"),
    ],
)
def test_what_is_no_ref_is_refused_before_anything_is_opened(tmp_path: Path, ref: str) -> None:
    with pytest.raises(SourceError, match="is no ref"):
        open_repository(tmp_path, ref)


@pytest.mark.parametrize("path", ["https://example.com/a.git", "ext::sh", "/nowhere", "git@a:b"])
def test_only_local_folders_are_opened(path: str) -> None:
    with pytest.raises(SourceError, match="a repository is a local path"):
        open_repository(Path(path), "main")


def test_a_ref_that_is_not_there(tmp_path: Path) -> None:
    repository = made(tmp_path / "a.git")
    with pytest.raises(SourceError, match="was it deleted, or not pushed yet"):
        open_repository(repository.path, "gone")
    with pytest.raises(SourceError, match="cannot be opened"):
        open_repository(tmp_path, "main")


def test_links_and_submodules_are_not_followed(tmp_path: Path) -> None:
    repository = Made(tmp_path / "a.git")
    repository.modes = {
        "prompts/evil/v1.jinja2": LINK,
        "prompts/evil/v2.jinja2": SUBMODULE,
        "prompts/linked": LINK,
    }
    names = [*repository.modes, "prompts/evil/v3.jinja2"]
    repository.commit({**FILES, **dict.fromkeys(names, "/etc/passwd")})
    source = open_repository(repository.path, "main")
    index = read_index(source)
    source.close()
    assert list(index.prompts["evil"].versions) == ["v3"]
    told = [it.message for it in index.all_problems()]
    assert told == ["this is a link or a submodule, which is not followed"] * 3


@pytest.mark.parametrize("packed", [False, True])
def test_a_huge_file_is_refused_and_the_others_are_read(tmp_path: Path, packed: bool) -> None:
    repository = made(tmp_path / "a.git")
    repository.commit({"prompts/huge/v1.jinja2": "x" * (MAX_FILE_BYTES + 1)})
    if packed:
        repository.pack()
    source = open_repository(repository.path, "main")
    index = read_index(source)
    with pytest.raises(SourceError, match=r"prompts/huge/v1.jinja2 has 262,145 bytes"):
        read_prompt(source, index, "huge", "v1")
    assert read_prompt(source, index, "plain", "v1").held is not None
    source.close()


def test_a_folder_that_has_names_which_no_checkout_would(tmp_path: Path) -> None:
    repository = made(tmp_path / "a.git")
    store = repository.repo.object_store
    blob, tree, prompts = Blob.from_string(b"Hi.\n"), Tree(), Tree()
    store.add_object(blob)
    names = [b"..", b".git", b"\\", b"a\nb", b"con", b"CON", b"x" * 300, b"%2e%2e", "é".encode()]
    for name in (*names, b"good"):
        prompts.add(name, 0o040000, tree.id)
    tree.add(b"v1.jinja2", 0o100644, blob.id)
    prompts = Tree()
    for name in (*names, b"good"):
        prompts.add(name, 0o040000, tree.id)
    root = Tree()
    root.add(b"prompts", 0o040000, prompts.id)
    for it in (tree, prompts, root):
        store.add_object(it)
    commit = repository.repo[repository.head]  # type: ignore[index]
    commit.tree = root.id  # type: ignore[attr-defined]
    store.add_object(commit)
    repository.repo.refs[b"refs/heads/main"] = commit.id  # type: ignore[index]
    source = open_repository(repository.path, "main")
    index = read_index(source)
    source.close()
    assert list(index.prompts) == ["good"]
    assert len(index.all_problems()) == len(names) - 2  # those that begin with a point are hidden


# Of what cannot be opened whole, dulwich leaves the files to the collector.
UNCLOSED = pytest.mark.filterwarnings(
    "ignore:unclosed:ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)


def damaged(path: Path, rng: random.Random) -> None:
    """One file of the repository cut, changed, emptied, exchanged or taken away."""
    files = sorted(it for it in path.rglob("*") if it.is_file())
    inside = [it for it in files if "objects" in it.parts or "refs" in it.parts]
    file = rng.choice(inside if rng.random() < 0.9 else files)
    data = bytearray(file.read_bytes())
    file.chmod(0o600)
    match rng.randrange(6):
        case 0:
            file.unlink()
        case 1:
            file.write_bytes(data[: rng.randrange(len(data) + 1)])
        case 2:
            for _ in range(rng.choice((1, 1, 8))):
                if data:
                    data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
            file.write_bytes(data)
        case 3:
            file.write_bytes(b"")
        case 4:
            file.write_bytes(rng.choice(files).read_bytes())
        case _:
            at = rng.randrange(len(data) + 1)
            file.write_bytes(data[:at] + rng.randbytes(rng.randrange(1, 40)) + data[at:])


def damage_many(tmp_path: Path, times: int, seed: int) -> tuple[int, int]:
    """(still read right, told) of so many damaged repositories."""
    loose, packed = made(tmp_path / "a.git"), made(tmp_path / "b.git")
    for it in (loose, packed):
        it.commit({"prompts/support/v3.jinja2": FILES["prompts/support/v1.jinja2"] + "more\n"})
    packed.pack()
    right, told = read(loose.path), 0
    rng = random.Random(seed)
    for number in range(times):
        copy = tmp_path / f"c{number}"
        shutil.copytree(rng.choice((loose, packed)).path, copy)
        damaged(copy, rng)
        try:
            found = read(copy)
            # What is read is what was written: nothing may be another text, only less of it.
            assert found.items() <= right.items(), f"{seed}, {number}: {found}"
        except SourceError as error:
            told += 1
            assert str(copy) in str(error) or "prompts/" in str(error)
        shutil.rmtree(copy)
    return times - told, told


@UNCLOSED
def test_damage_is_told_and_never_read_as_another_text(tmp_path: Path) -> None:
    right, told = damage_many(tmp_path, 120, 20266)
    assert right > 10
    assert told > 50


@UNCLOSED
@pytest.mark.soak
def test_damage_in_four_thousand_ways(tmp_path: Path) -> None:
    right, told = damage_many(tmp_path, 4_000, 20267)
    print(f"{right} were still read right, {told} told")


def test_nothing_is_run_written_or_fetched(tmp_path: Path) -> None:
    repository = made(tmp_path / "a.git")
    hook = repository.path / "hooks/post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    hook.chmod(0o755)
    with (repository.path / "config").open("a") as config:
        config.write(f'[core]\n\tfsmonitor = touch {tmp_path}/ran\n[remote "x"]\n\turl = ext::sh\n')
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from tidegate.prompts.index import read_index\n"
        "from tidegate.prompts.source import open_repository\n"
        "bad = []\n"
        "def watch(name, given):\n"
        "    loud = ('socket.', 'subprocess.', 'os.system', 'os.exec', 'os.fork', 'os.posix')\n"
        "    if name.startswith(loud) and name != 'socket.gethostname': bad.append(name)\n"
        "    if name == 'open' and isinstance(given[2], int) and given[2] & 3: bad.append(given)\n"
        "source = open_repository(Path(sys.argv[1]), 'main')\n"
        "sys.addaudithook(watch)\n"
        "source = open_repository(Path(sys.argv[1]), 'main')\n"
        "print(len(read_index(source).prompts), bad)\n"
    )
    before = sorted((it, it.stat().st_mtime_ns) for it in repository.path.rglob("*"))
    found = subprocess.run(
        [sys.executable, "-c", code, str(repository.path)],
        capture_output=True,
        text=True,
        check=True,
        env=dict(os.environ),
    )
    assert found.stdout == "2 []\n"
    assert sorted((it, it.stat().st_mtime_ns) for it in repository.path.rglob("*")) == before
    assert not (tmp_path / "ran").exists()


def test_the_past_is_told_along_first_parents(tmp_path: Path) -> None:
    repository = made(tmp_path / "a.git")
    second = repository.commit({"README.md": "x"}, "second\n\nwith a body")
    source = open_repository(repository.path, "main")
    moments = list(source.moments())
    assert [it.id for it in moments] == [second, moments[0].parents[0]]
    assert moments[0].message == "second\n\nwith a body"
    assert find(source, "prompts/support", moments[1].root) is not None
    assert find(source, "README.md/x") is None
    source.close()
