"""`quality` in a plan file: what is graded, by whom, for how much."""

from decimal import Decimal

from tidegate.config.load import compile_file
from tidegate.core.declared_quality import DeclaredQuality

PLAN = """\
providers: {mine: {kind: vllm, base_url: "http://127.0.0.1:9/v1"}}
routes:
  judge: mine/x
  other: mine/x
  chat:
    target: mine/x
    quality:
      checks: [{judge_rubric: {rubric: It is polite.}}, {contains: {any: [sorry]}, not: true}]
      judge: judge
      judge_parameters: {temperature: 0}
      anchors: evals/anchors.jsonl
      per_hour: 120
      most_usd_per_day: 2.50
"""


def test_it_is_kept_as_it_is_written():
    declared = compile_file(PLAN.encode(), {}, 1, 1000.0).declared
    assert declared.routes["other"].quality is None
    assert declared.routes["chat"].quality == DeclaredQuality(
        checks='[{"judge_rubric":{"rubric":"It is polite."}},'
        '{"contains":{"any":["sorry"]},"not":true}]',
        judge="judge",
        judge_parameters='{"temperature":0}',
        anchors="evals/anchors.jsonl",
        per_hour=120,
        most_usd_per_day=Decimal("2.50"),
    )


def test_users_next_turns_are_looked_at_unless_it_says_otherwise():
    assert DeclaredQuality().follow_up
