"""`tidegate cache invalidate` in front of a control."""

from collections.abc import Callable

import pytest
from click.testing import Result
from tests.cli.conftest import FakeControl

from tidegate.control.shapes_cache import AnswersGone
from tidegate.core.cache_labels import Selector

Run = Callable[..., Result]


@pytest.mark.parametrize(
    ("words", "body"),
    [
        (("--tag", "prices", "--team", "acme"), {"tag": "prices", "team": "acme"}),
        (("--prompt", "support@7"), {"prompt": "support", "version": "7"}),
        (("--prompt", "support"), {"prompt": "support"}),
        (("--route", "faq", "--tier", "semantic"), {"route": "faq", "tier": "semantic"}),
        (("--entry", "01E"), {"entry": "01E"}),
        (("--everything",), {"everything": True}),
    ],
    ids=lambda it: " ".join(it) if isinstance(it, tuple) else "",
)
def test_what_is_named_is_asked_for(
    control: FakeControl, run: Run, words: tuple[str, ...], body: dict[str, object]
) -> None:
    gone = AnswersGone("01A", Selector(tag="x"), 2, ["b/gateway-0"])
    control.answers["POST /cache/invalidate"] = gone
    shown = run("cache", "invalidate", *words)
    assert shown.exit_code == 0, shown.output
    assert control.bodies() == [body]
    assert "2 of this machine's gateways" in shown.output
    assert "not obeyed yet by b/gateway-0" in shown.output


@pytest.mark.parametrize(
    "words", [(), ("--everything", "--tag", "a"), ("--tier", "warm"), ("--customer", "c")]
)
def test_what_cannot_be_meant_is_not_asked(
    control: FakeControl, run: Run, words: tuple[str, ...]
) -> None:
    assert run("cache", "invalidate", *words).exit_code == 2
    assert control.asked == []


def test_a_route_that_the_plan_has_not_is_said_and_obeyed(control: FakeControl, run: Run) -> None:
    gone = AnswersGone("01A", Selector(route="fap"), 2, [], ['route "fap"; did you mean "faq"?'])
    control.answers["POST /cache/invalidate"] = gone
    shown = run("cache", "invalidate", "--route", "fap")
    assert shown.exit_code == 0 and "gone from 2" in shown.stdout
    assert 'the plan has no route "fap"; did you mean "faq"?' in shown.stderr
