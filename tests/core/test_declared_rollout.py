"""The file of a release: its keys, and that its defaults are those of what it compiles to."""

from tidegate.config.shape import Record, shape_of
from tidegate.core.compile_rollout import compile_rollout
from tidegate.core.declared import Declared
from tidegate.core.declared_rollout import DeclaredMove, DeclaredRollout, DeclaredShadow
from tidegate.core.declared_routes import DeclaredRoute
from tidegate.core.rollout import Rollout, Shadow


def nothing(path: tuple[str, ...], message: str) -> None:
    raise AssertionError((path, message))


def test_the_defaults_of_the_file_are_those_of_a_rollout() -> None:
    declared = DeclaredRollout("ana", DeclaredMove("llama"), shadow=DeclaredShadow())
    found = compile_rollout("chat", "x", declared, {"target"}, nothing)
    bare = Rollout("chat/x", "chat", found.digest, "ana", found.members)
    for name in Rollout.__struct_fields__:
        if name not in ("harm", "shadow"):
            assert getattr(found, name) == getattr(bare, name), name
    assert found.shadow == Shadow()


def test_what_a_release_may_change_is_read_as_a_routes_own_keys() -> None:
    move, route = shape_of(DeclaredMove), shape_of(DeclaredRoute)
    assert isinstance(move, Record) and isinstance(route, Record)
    assert move.keys[: len(route.keys)] == route.keys


def test_no_key_of_a_release_stands_at_the_top_of_a_plan() -> None:
    assert not {*DeclaredRollout.__struct_fields__} & {*Declared.__struct_fields__}
