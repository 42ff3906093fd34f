"""What lets in whom nobody meant, or nobody at all, fails the plan, at its place."""

import pytest

from tidegate.config.load import compile_file
from tidegate.core import plugs
from tidegate.core.plan_callers import FromClaim, Grant, GrantLimits, Issuer, IssuerKeys, Match
from tidegate.core.secret import SecretRef

PLAN = """\
providers: {{mine: {{kind: openai_compatible, base_url: "http://127.0.0.1:9/v1", api_key: none}}}}
targets: {{small: {{provider: mine, model: small, price: free}}}}
routes: {{chat: small}}
gateway: {{processes: {processes}}}
callers:
  one: {one}
{more}"""
KEYS = 'issuer: "https://i", audiences: [t], keys: {url: "https://i/keys"}'


def compiled(one: str, more: str = "", processes: int = 1) -> tuple[tuple[Issuer, ...], list[str]]:
    text = PLAN.format(one=one, more=more, processes=processes)
    found = compile_file(text.encode(), {}, 1, 1000.0)
    plan = found.plan
    return () if plan is None else plan.callers, [str(it) for it in found.problems]


def test_all_that_can_be_said_is_in_the_plan() -> None:
    one = """
    issuer: "https://i"
    audiences: [t, u]
    keys: {url: "https://i/keys", ca_file: /ca.pem, credential: "file:/token", every: 5m}
    algorithms: [ES256, EdDSA]
    leeway: 5s
    longest: 1h
    subject: /a~1b/c
    grants:
    - match: {repository: "acme/*", /kubernetes.io/namespace: [a, b]}
      team: {claim: groups, map: {web: red}, otherwise: rest}
      routes: [chat]
      customer: {claim: org}
      environment: prod
      end_user: {claim: email}
      purpose: ci
      priority: batch
      attributes: {branch: {claim: ref}, kind: ci}
      limits: {requests_per_minute: 5, budget: $2.50, per: day, hard: false}
    - team: rest"""
    issuers, problems = compiled(one)
    assert problems == []
    grant = Grant(
        FromClaim(None, ("groups",), (("web", "red"),), "rest"),
        (Match(("repository",), ("acme/*",)), Match(("kubernetes.io", "namespace"), ("a", "b"))),
        ("chat",),
        FromClaim(None, ("org",)),
        FromClaim("prod"),
        FromClaim(None, ("email",)),
        "ci",
        "batch",
        (("branch", FromClaim(None, ("ref",))), ("kind", FromClaim("ci"))),
        GrantLimits(2_500_000_000, "day", requests_per_minute=5, budget_hard=False),
    )
    keys = IssuerKeys(
        url="https://i/keys", ca_file="/ca.pem", credential=SecretRef(file="/token"), every_s=300.0
    )
    assert issuers == (
        Issuer(
            *("one", "https://i", ("t", "u"), keys, (grant, Grant(FromClaim("rest")))),
            *(("ES256", "EdDSA"), 5.0, 3600.0, ("a/b", "c")),
        ),
    )


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (f"{{{KEYS}, grants: []}}", "would be let in"),
        (f"{{{KEYS}, grants: [{{team: a}}], algorithms: []}}", "would be let in"),
        (f"{{{KEYS}, grants: [{{team: a}}], algorithms: [HS256]}}", "RS256"),
        (f"{{{KEYS}, grants: [{{team: a}}], algorithms: [none]}}", "RS256"),
        (f"{{{KEYS.replace('[t]', '[]')}, grants: [{{team: a}}]}}", "would be let in"),
        (f"{{{KEYS}, grants: [{{team: a}}, {{team: b}}]}}", "write it last"),
        (f"{{{KEYS}, grants: [{{routes: [chat]}}]}}", "`team` is missing"),
        (f"{{{KEYS}, grants: [{{team: a, routes: [chatt]}}]}}", 'did you mean "chat"'),
        (f"{{{KEYS}, grants: [{{team: a, routes: []}}]}}", "list is empty"),
        (f"{{{KEYS}, grants: [{{team: a, purpose: probe}}]}}", "its own requests"),
        (f"{{{KEYS}, grants: [{{team: a, match: {{a: []}}}}]}}", "no token would fit"),
        (f"{{{KEYS}, grants: [{{team: a, match: {{a: b*c}}}}]}}", "at the end alone"),
        (f"{{{KEYS}, grants: [{{team: {{claim: /a//b}}}}]}}", "a path to a claim"),
        (f"{{{KEYS}, grants: [{{team: {{claim: /a~2}}}}]}}", "a path to a claim"),
        (f"{{{KEYS}, grants: [{{team: a, limits: {{budget: 5}}}}]}}", "belong together"),
        (
            "{issuer: i, audiences: [t], keys: {}, grants: [{team: a}]}",
            "one of `url` and `file`",
        ),
        (
            '{issuer: i, audiences: [t], keys: {url: "http://i/k"}, grants: [{team: a}]}',
            "write https://",
        ),
        (
            "{issuer: i, audiences: [t], keys: {file: k, ca_file: c}, grants: [{team: a}]}",
            "go with a `url`",
        ),
        (
            '{issuer: i, audiences: [t], keys: {url: "https://i", credential: none}, '
            "grants: [{team: a}]}",
            "leave it out",
        ),
    ],
    ids=range(19),
)
def test_what_cannot_be_meant_is_said(one: str, said: str) -> None:
    _, problems = compiled(one)
    assert any(said in problem for problem in problems), problems


def test_of_an_issuer_for_everybody_a_grant_says_for_whom() -> None:
    one = KEYS.replace('"https://i"', "https://token.actions.githubusercontent.com", 1)
    _, [problem] = compiled(f"{{{one}, grants: [{{team: a}}]}}")
    assert "everybody who has an account there" in problem
    assert compiled(f"{{{one}, grants: [{{team: a, match: {{sub: b}}}}]}}")[1] == []


def test_one_issuer_stands_in_one_place() -> None:
    good = f"{{{KEYS}, grants: [{{team: a}}]}}"
    _, [problem] = compiled(good, f"  two: {good}\n")
    assert "is of the same issuer" in problem


def test_on_this_machine_keys_may_be_asked_for_in_plain_text() -> None:
    keys = '{url: "http://127.0.0.1:9/keys"}'
    issuers, problems = compiled(
        f"{{issuer: i, audiences: [t], keys: {keys}, grants: [{{team: a}}]}}"
    )
    assert problems == []
    assert len(issuers) == 1


def test_limits_that_each_process_would_count_alone_are_said() -> None:
    one = f"{{{KEYS}, grants: [{{team: a, limits: {{requests_per_minute: 5}}}}]}}"
    _, [problem] = compiled(one, processes=2)
    assert "several would each allow the whole" in problem


def test_without_the_extra_the_plan_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real = plugs.load

    def load(kind: str, name: str) -> object:
        if kind == "callers":
            raise plugs.PlugError("callers: jwt does not load: No module named 'jwt'")
        return real(kind, name)

    monkeypatch.setattr(plugs, "load", load)
    _, [problem] = compiled(f"{{{KEYS}, grants: [{{team: a}}]}}")
    assert "its extra `jwt`" in problem
