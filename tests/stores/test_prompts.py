"""What is kept of prompts: first words stay, flips are in order."""

from sqlalchemy import Engine

from tidegate.core.prompt import Stood, TagFlip
from tidegate.stores import audit, database, prompts

NOW_S = 1_790_000_000.0


def flip(tag: str = "stable", version: str | None = "v2", prompt: str = "support") -> TagFlip:
    return TagFlip(
        0, f"{prompt}-{tag}-{version}", prompt, tag, version, "v1", "operator:ana", "x", NOW_S
    )


def test_what_a_version_said_first_stays(engine: Engine) -> None:
    with database.writing(engine) as connection:
        prompts.note_versions(connection, {("support", "v1"): "a", ("support", "v2"): "b"}, NOW_S)
        prompts.note_versions(connection, {("support", "v1"): "z", ("other", "v1"): "c"}, NOW_S)
        prompts.note_versions(connection, {}, NOW_S)
    with database.reading(engine) as connection:
        assert prompts.known_versions(connection) == {
            ("support", "v1"): "a",
            ("support", "v2"): "b",
            ("other", "v1"): "c",
        }


def test_of_each_tag_the_newest_flip_speaks(engine: Engine) -> None:
    with database.writing(engine) as connection:
        for one in (flip(), flip("canary"), flip(version=None), flip(prompt="other")):
            prompts.append_flip(connection, one)
    with database.reading(engine) as connection:
        newest = prompts.newest_flips(connection)
        assert [(it.seq, it.prompt, it.tag, it.version) for it in newest] == [
            (2, "support", "canary", "v2"),
            (3, "support", "stable", None),
            (4, "other", "stable", "v2"),
        ]
        assert [it.seq for it in prompts.flips(connection, "support")] == [3, 2, 1]
        assert [it.seq for it in prompts.flips(connection, "support", limit=1)] == [3]
        assert audit.recent(connection)[0].what == "prompt.tag"


def test_where_stable_stood_stays_when_it_is_gone(engine: Engine) -> None:
    first, then = Stood("v1", "d1"), Stood("v2", "d2")
    with database.writing(engine) as connection:
        for now in ({"support": first, "other": first}, {"support": then}, {}):
            prompts.note_stood(connection, now, 1000.0)
    with database.reading(engine) as connection:
        assert prompts.stood(connection) == {"support": (first, then), "other": (first,)}


def test_what_stable_went_back_from_is_forgotten_and_so_is_what_is_long_ago(
    engine: Engine,
) -> None:
    steps = [Stood(f"v{n}", f"d{n}") for n in range(30)]

    def noted(*found: Stood) -> tuple[Stood, ...]:
        with database.writing(engine) as connection:
            for it in found:
                prompts.note_stood(connection, {"support": it}, 1000.0)
            return prompts.stood(connection)["support"]

    assert noted(*steps[:3], steps[2]) == tuple(steps[:3])
    assert noted(steps[0]) == (steps[0],)
    assert noted(steps[2]) == (steps[0], steps[2])
    assert noted(*steps[3:]) == tuple(steps[10:])
