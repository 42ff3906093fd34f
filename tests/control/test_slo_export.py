"""Rules and routes that are exported, judged by Prometheus' and Alertmanager's own tools."""

import subprocess
from pathlib import Path

import pytest

from tidegate.control.slo_export import alertmanager_routes, prometheus_rules
from tidegate.core.objective import (
    DAY_S,
    ErrorBudget,
    Objective,
    RouteObjectives,
    preset_objectives,
)

CHAT = RouteObjectives("acme/chat", tuple(preset_objectives("chat").values()), preset="chat")
ODD = RouteObjectives(
    'größe "x" \\ {{y}}',
    tuple(preset_objectives("batch").values()),
    ErrorBudget(7 * DAY_S, owner='eve "of" payments'),
)

# What comes of a full outage, and of half of the budget being spent, after half an hour.
TESTS = """\
rule_files: [rules.yml]
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series:
      - series: 'tidegate_slo_requests_total{route="acme/chat", sli="availability"}'
        values: '0+600x90'
      - series: 'tidegate_slo_bad_requests_total{route="acme/chat", sli="availability"}'
        values: 'BAD'
    alert_rule_test:
      - eval_time: 40m
        alertname: TidegateAvailabilityBurns
        exp_alerts: ALERTS
    promql_expr_test:
      - expr: 'slo:objective:ratio{sloth_id="acme/chat-availability"}'
        eval_time: 40m
        exp_samples:
          - labels: 'slo:objective:ratio{sloth_id="acme/chat-availability", owner="slo",
              sloth_service="acme/chat", sloth_slo="availability"}'
            value: 0.999
"""
BOTH = """
          - exp_labels: {sloth_severity: page, severity: page, owner: slo,
              sloth_service: acme/chat, sloth_slo: availability, sloth_id: acme/chat-availability}
            exp_annotations:
              summary: availability of acme/chat burns its error budget
              description: 99.9 % of requests are to be good
              runbook: tidegate slo explain acme/chat
          - exp_labels: {sloth_severity: ticket, severity: ticket, owner: slo,
              sloth_service: acme/chat, sloth_slo: availability, sloth_id: acme/chat-availability}
            exp_annotations:
              summary: availability of acme/chat burns its error budget
              description: 99.9 % of requests are to be good
              runbook: tidegate slo explain acme/chat
"""


# A week in steps of ten minutes, and what is said at its end.
ABSENT = """\
rule_files: [rules.yml]
evaluation_interval: 10m
tests:
  - interval: 10m
    input_series:
      - series: 'tidegate_slo_requests_total{route="talk", sli="availability"}'
        values: 'VALUES'
    alert_rule_test:
      - eval_time: WHEN
        alertname: TidegateNoRequests
        exp_alerts: ALERTS
"""
LABELS = "severity: ticket, sloth_severity: ticket, sloth_service: talk, owner: slo"
ABSENCE = f"[{{exp_labels: {{{LABELS}}}}}]"


def tool(name: str, *arguments: str | Path) -> str:
    done = subprocess.run([name, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.prometheus
def test_promtool_takes_the_rules_of_every_preset_and_of_odd_names(tmp_path: Path) -> None:
    file = tmp_path / "rules.yml"
    file.write_text(prometheus_rules([CHAT, ODD]), encoding="utf-8")
    assert "SUCCESS: 178 rules found" in tool("promtool", "check", "rules", file)
    file.write_text(prometheus_rules([]))
    tool("promtool", "check", "rules", file)


@pytest.mark.prometheus
@pytest.mark.parametrize(
    ("bad", "alerts"),
    [
        ("0+0x35 0+600x20", BOTH),
        ("0+0x90", "[]"),
        ("0+0.3x90", "[]"),
    ],
)
def test_the_rules_page_in_an_outage_and_not_at_half_the_budget(
    tmp_path: Path, bad: str, alerts: str
) -> None:
    (tmp_path / "rules.yml").write_text(prometheus_rules([CHAT]))
    tests = tmp_path / "tests.yml"
    tests.write_text(TESTS.replace("BAD", bad).replace("ALERTS", alerts))
    tool("promtool", "test", "rules", tests)


@pytest.mark.prometheus
@pytest.mark.parametrize(
    ("values", "when", "alerts"),
    [
        ("0+60x1010 60600+0x20", "10150m", ABSENCE),  # it came at this hour a week ago
        ("0+60x1000", "9990m", "[]"),
        ("0+60x2 120+0x12 0+60x996 59760+0x20", "10170m", "[]"),  # it did not
        ("_x900 0+60x100 6000+0x20", "10030m", ABSENCE),  # nothing is known of a week ago
    ],
)
def test_the_rules_miss_requests_that_a_week_ago_came_too(
    tmp_path: Path, values: str, when: str, alerts: str
) -> None:
    talk = RouteObjectives("talk", (Objective("availability", 0.999),))
    (tmp_path / "rules.yml").write_text(prometheus_rules([talk]))
    tests = tmp_path / "tests.yml"
    asked = ABSENT.replace("VALUES", values).replace("WHEN", when).replace("ALERTS", alerts)
    tests.write_text(asked)
    tool("promtool", "test", "rules", tests)


@pytest.mark.prometheus
def test_amtool_takes_the_routes(tmp_path: Path) -> None:
    file = tmp_path / "alertmanager.yml"
    file.write_text(alertmanager_routes([CHAT, ODD]), encoding="utf-8")
    tool("amtool", "check-config", file)


def test_sloth_s_names_are_there() -> None:
    text = prometheus_rules([CHAT])
    windows = ("5m", "30m", "1h", "2h", "6h", "1d", "3d", "30d")
    recorded = [f"slo:sli_error:ratio_rate{window}" for window in windows]
    recorded += ["slo:objective:ratio", "slo:error_budget:ratio", "slo:time_period:days"]
    recorded += ["slo:current_burn_rate:ratio", "slo:period_burn_rate:ratio"]
    recorded += ["slo:period_error_budget_remaining:ratio"]
    assert [name for name in recorded if f"record: {name}\n" not in text] == []


def test_a_bound_that_grows_with_the_answer_is_in_the_rules_words() -> None:
    long = RouteObjectives("talk", (Objective("turn_time", 0.95, 4.0, 0.03),))
    found = prometheus_rules([long])
    assert "95 % of requests are to be good within 4s + 30ms a token" in found
    assert 'tidegate_slo_bad_requests_total{route="talk", sli="turn_time"}' in found
