"""A route says once what a config may say of each target."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tidegate.config.moving import Findings
from tidegate.config.portkey_routes import Above, Asked, Leaf, route_of

_PARAMS = st.dictionaries(st.sampled_from(["temperature", "seed"]), st.integers(0, 1))


def leaf(number: int, params: dict[str, Any]) -> Leaf:
    way = {name: (value, f"targets[{number}].{name}") for name, value in params.items()}
    return Leaf(f"t{number}", Above(params=way))


@given(st.lists(_PARAMS, min_size=1, max_size=4))
def test_no_target_is_asked_with_what_another_said(given: list[dict[str, int]]) -> None:
    leaves = [leaf(number, params) for number, params in enumerate(given)]
    found = Findings()
    asked = Asked({"t0": 1.0}, [it.target for it in leaves[1:]], leaves)
    parameters = route_of(asked, found).get("parameters", {})
    for params in given:
        assert parameters.items() <= params.items()
    told = {it.theirs for it in found.all() if it.theirs.startswith("targets")}
    assert told == {f"targets[{n}].{name}" for n, params in enumerate(given) for name in params}
    left = {it.theirs.rpartition(".")[2] for it in found.all() if it.fate == "left"}
    assert left.isdisjoint(parameters)
