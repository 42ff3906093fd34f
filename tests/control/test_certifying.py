"""What may be stable: what is certified, what stood there before, and nothing that changed."""

from collections.abc import Callable, Collection, Iterable, Mapping

from msgspec.structs import replace
from sqlalchemy import Engine, event
from tests.control.certifieds import certified, plan, prompt
from tests.core.test_certificate import PLAIN, SECRET
from tests.gateway.rig import plan_of, target

from tidegate.control.certifying import CertifiedSource, Certifying
from tidegate.core.certificate import signed
from tidegate.core.plan import Plan
from tidegate.core.prompt import Prompt, Stood
from tidegate.stores import database, prompts

TAGS = {"stable": "v4", "canary": "v5"}


class Fixed:
    def __init__(self, **tags: str) -> None:
        self._tags = tags

    def names(self) -> Iterable[str]:
        return ["support"]

    def tags(self, name: str) -> Mapping[str, str] | None:
        return self._tags if name == "support" else None

    def allowed(
        self, name: str, tags: Mapping[str, str], moved: Collection[str] = ()
    ) -> Mapping[str, str]:
        return tags

    def version(self, name: str, version: str) -> Prompt:
        if version == "broken":
            raise ValueError("it is broken")
        return prompt(version)


def test_stable_stays_where_it_was_until_there_is_a_paper() -> None:
    source = Fixed(**TAGS)
    held = CertifiedSource(source, plan(), certified())
    assert held.allowed("support", TAGS) == {"stable": "v3", "canary": "v5"}
    assert [it.version for it in held.refused] == ["v4"]
    held = CertifiedSource(source, plan(), certified(signed(PLAIN, SECRET)))
    assert held.allowed("support", TAGS) == TAGS
    assert held.refused == []


def test_what_never_was_stable_begins_without_and_the_broken_is_told_elsewhere() -> None:
    empty = plan_of(target(1, "a"))
    for known in (empty, None):
        assert CertifiedSource(Fixed(**TAGS), known, certified()).allowed("support", TAGS) == TAGS
    broken = CertifiedSource(Fixed(stable="broken"), plan(), certified())
    assert broken.allowed("support", {"stable": "broken"}) == {"stable": "broken"}
    assert broken.tags("other") is None


V3 = Stood("v3", prompt("v3").digest)


def stood(*found: Stood) -> Callable[[str], tuple[Stood, ...]]:
    return lambda _: found


def test_a_stable_that_was_taken_away_and_comes_back_elsewhere_is_no_first_one() -> None:
    """Whatever the plan has of it, and whether anybody is asked by it now."""
    for current in (plan_of(target(1, "a")), None):
        held = CertifiedSource(Fixed(**TAGS), current, certified(), stood(V3))
        assert held.allowed("support", TAGS) == {"stable": "v3", "canary": "v5"}
        assert [it.why for it in held.refused] == ["no gate was passed"]
        again = CertifiedSource(Fixed(stable="v3"), current, certified(), stood(V3))
        assert again.allowed("support", {"stable": "v3"}) == {"stable": "v3"}
        papers = certified(signed(PLAIN, SECRET))
        assert (
            CertifiedSource(Fixed(**TAGS), current, papers, stood(V3)).allowed("support", TAGS)
            == TAGS
        )


def test_where_it_stood_is_gone_too_it_points_nowhere() -> None:
    for gone in (Stood("broken", "digest"), Stood("v3", "another text")):
        held = CertifiedSource(Fixed(**TAGS), None, certified(), stood(gone))
        assert held.allowed("support", TAGS) == {"canary": "v5"}


def test_it_goes_back_to_where_it_was_without_a_paper() -> None:
    was = stood(*(Stood(it, prompt(it).digest) for it in ("v1", "v2", "v3")))
    for version in ("v1", "v2"):
        held = CertifiedSource(Fixed(stable=version), plan(), certified(), was)
        assert held.allowed("support", {"stable": version}) == {"stable": version}
    assert held.refused == []


def test_another_name_for_the_same_words_needs_no_paper_of_its_own() -> None:
    class Renamed(Fixed):
        def version(self, name: str, version: str) -> Prompt:
            return replace(prompt("v3"), version=version)

    held = CertifiedSource(Renamed(stable="v4"), plan(), certified())
    assert held.allowed("support", {"stable": "v4"}) == {"stable": "v4"}
    assert (held.refused, held.held) == ([], [])


class Edited(Fixed):
    def version(self, name: str, version: str) -> Prompt:
        return prompt("v9") if version == "v7" else prompt(version)


def test_what_is_served_by_a_name_never_says_something_else() -> None:
    held = CertifiedSource(Edited(), plan(version="v7"), certified())
    assert held.version("support", "v7") == prompt("v7")
    assert ["support@v7 says something else" in it for it in held.kept] == [True]
    assert CertifiedSource(Edited(), None, None).version("support", "v7") == prompt("v9")


def test_what_a_plan_serves_is_remembered(engine: Engine) -> None:
    current: list[Plan] = [plan(served="v3", version="v7")]
    certifying = Certifying(engine, (SECRET,), lambda: current[0])
    certifying.guarded(Fixed(**TAGS), required=False)
    current[0] = plan_of(target(1, "a"))
    source = certifying.guarded(Fixed(**TAGS))
    assert source.allowed("support", TAGS)["stable"] == "v3"
    with database.reading(engine) as connection:
        assert prompts.stood(connection) == {"support": (V3,)}
        assert prompts.known_versions(connection) == {("support", "v7"): prompt("v7").digest}


def test_what_has_not_moved_is_not_written_again(engine: Engine) -> None:
    """Nor is anything read of prompts whose `stable` stays."""
    current = [plan(served="v3", version="v7")]
    certifying = Certifying(engine, (SECRET,), lambda: current[0])
    certifying.guarded(Fixed(stable="v3"))
    said: list[str] = []

    def note(_: object, __: object, statement: str, *___: object) -> None:
        said.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    current[0] = plan(served="v3", version="v7")
    certifying.guarded(Fixed(stable="v3"))
    assert not any("prompt_" in it for it in said)
    certifying.guarded(Fixed(stable="v4"))
    assert any("prompt_stood" in it for it in said)
