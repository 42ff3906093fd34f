"""What became of one prompt, commit by commit."""

from collections.abc import Iterator, Mapping

from msgspec import Struct

from tidegate.prompts.index import Listed, list_prompt
from tidegate.prompts.source import Moment, Repository, find


class Step(Struct, frozen=True):
    """A commit that touched the prompt. `changed` are versions whose file was exchanged, `moved`
    the tags as (tag, from, to); None is nothing."""

    moment: Moment
    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    moved: tuple[tuple[str, str | None, str | None], ...] = ()


def history_of(source: Repository, folder: str, name: str, most_commits: int) -> Iterator[Step]:
    """Newest first, along first parents. SourceError where a commit cannot be read."""
    newer: tuple[Moment, Listed | None] | None = None
    known: dict[str, Listed] = {}
    for number, moment in enumerate(source.moments()):
        found = find(source, f"{folder}/{name}", moment.root)
        id = found[1] if found is not None and found[0] == "folder" else None
        if id is not None and id not in known:
            known = {id: list_prompt(source, folder, name, id)}
        listed = None if id is None else known[id]
        if newer is not None and _id(newer[1]) != id:
            yield _step(newer[0], listed, newer[1])
        if number + 1 >= most_commits:
            return
        newer = moment, listed
    if newer is not None and newer[1] is not None:
        yield _step(newer[0], None, newer[1])


def _id(listed: Listed | None) -> str | None:
    return None if listed is None else listed.id


def _step(moment: Moment, before: Listed | None, after: Listed | None) -> Step:
    old: Mapping[str, str] = before.versions if before else {}
    new: Mapping[str, str] = after.versions if after else {}
    was: Mapping[str, str] = before.tags if before else {}
    now: Mapping[str, str] = after.tags if after else {}
    tags = sorted({*was, *now})
    return Step(
        moment,
        tuple(sorted(new.keys() - old.keys())),
        tuple(sorted(it for it in new.keys() & old.keys() if new[it] != old[it])),
        tuple(sorted(old.keys() - new.keys())),
        tuple((it, was.get(it), now.get(it)) for it in tags if was.get(it) != now.get(it)),
    )
