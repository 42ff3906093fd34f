"""A way that could tell nobody fails the plan, at its place."""

from pathlib import Path
from typing import Any

import pytest

from tidegate.config.load import compile_file
from tidegate.core import plugs
from tidegate.core.facts import Ways

PLAN = """\
providers: {{mine: {{kind: openai_compatible, base_url: "http://127.0.0.1:9/v1", api_key: none}}}}
targets: {{small: {{provider: mine, model: small, price: free}}}}
routes: {{chat: small}}
control:
  notifications:
    ways:
      it: {way}
"""
MAIL = 'server: "smtp.example.com:587", from: t@example.com, to: [a@example.com]'


def problems(way: str) -> list[str]:
    found = compile_file(PLAN.format(way=way).encode(), {"S": "x"}, 1, 1000.0).problems
    return [str(problem) for problem in found]


@pytest.mark.parametrize(
    "way",
    [
        '{kind: slack, secret: "${S}"}',
        '{kind: pagerduty, secret: "${S}", severities: [page]}',
        '{kind: alertmanager, url: "http://am.example.com:9093", private: true}',
        '{kind: webhook, url: "https://x.example.com/x", secret: "${S}", topics: [burn, release]}',
        f"{{kind: email, {MAIL}, routes: [chat]}}",
        f'{{kind: email, {MAIL}, tls: implicit, user: me, secret: "${{S}}"}}',
    ],
)
def test_what_can_be_told_compiles(way: str) -> None:
    assert problems(way) == []


@pytest.mark.parametrize(
    ("way", "said"),
    [
        ('{kind: slak, secret: "${S}"}', "did you mean"),
        ("{kind: slack}", 'needs "secret"'),
        ("{kind: slack, secret: none}", 'needs "secret"'),
        ('{kind: webhook, url: "https://x.example.com"}', 'needs "secret"'),
        ('{kind: slack, secret: "${S}", url: "https://x.example.com"}', "for a `channel`"),
        ('{kind: slack, secret: "${S}", user: me}', "does not read this"),
        ('{kind: pagerduty, secret: "${S}", to: [a@example.com]}', "does not read this"),
        (f"{{kind: email, {MAIL}, user: me}}", "needs both"),
        (f'{{kind: email, {MAIL}, user: me, secret: "${{S}}", tls: none}}', "without TLS"),
        ('{kind: slack, secret: "${S}", routes: [chatt]}', "no route"),
        ('{kind: slack, secret: "${S}", topics: [burns]}', "burn"),
        ('{kind: slack, secret: "${S}", severities: [critical]}', "page"),
        ('{kind: slack, secret: "https://hooks.slack.com/services/x"}', "secret"),
        ('{kind: alertmanager, url: "ftp://x"}', "http"),
    ],
)
def test_what_cannot_is_said_with_its_place(way: str, said: str) -> None:
    found = problems(way)
    assert len(found) == 1, found
    assert said in found[0]
    assert ":7:" in found[0]


def test_there_are_only_so_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tidegate.core.compile_notices.MAX_WAYS", 0)
    assert "at most 0 ways; here are 1" in problems('{kind: slack, secret: "${S}"}')[0]


def test_a_way_that_does_not_load_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_self: Ways, name: str) -> Any:
        raise plugs.PlugError(f"actuators: {name} does not load")

    monkeypatch.setattr(Ways, "get", broken)
    assert "does not load" in problems('{kind: slack, secret: "${S}"}')[0]


def test_every_file_of_the_room_is_a_kind() -> None:
    files = {file.stem for file in Path(plugs.__file__).parent.parent.glob("actuators/[a-z]*.py")}
    assert set(Ways().names()) >= files
