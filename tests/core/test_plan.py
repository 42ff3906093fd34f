"""The Plan crosses processes unchanged and holds references, never secrets."""

import msgspec
import pytest

from tidegate.core.plan import Plan, Release, Replica, Route, Target
from tidegate.core.price import Price, Rate
from tidegate.core.secret import SecretRef

REPLICA = Replica("a", "https", "api.example.com", 443, "/v1")
TARGET = Target(
    name="t",
    provider="p",
    dialect="openai",
    model="m",
    replicas=(REPLICA,),
    credential=SecretRef(env="API_KEY"),
    price=Price("v1", "plan", input=Rate(5, ((100, 7),))),
    headers=(("x-team", "a"),),
)
PLAN = Plan(3, "digest", 1.5, {"chat": Route("chat", Release("chat@1", TARGET))})


def test_a_plan_crosses_processes_unchanged() -> None:
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(PLAN), type=Plan) == PLAN


def test_a_plan_is_not_edited_in_place() -> None:
    with pytest.raises(AttributeError):
        PLAN.version = 4  # type: ignore[misc]
    with pytest.raises(AttributeError):
        PLAN.routes["chat"].release.target.model = "other"  # type: ignore[misc]


def test_a_secret_is_shown_as_its_reference() -> None:
    assert str(SecretRef(env="API_KEY")) == "${API_KEY}"
    assert str(SecretRef(file="/run/key")) == "file:/run/key"
