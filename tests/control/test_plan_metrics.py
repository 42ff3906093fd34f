"""The plan's own series."""

from prometheus_client.parser import text_string_to_metric_families
from tests.control.conftest import PLAN, Room

from tidegate.control import plan_metrics


def series(room: Room) -> dict[str, float]:
    text = plan_metrics.render(room.plans).decode()
    return {s.name: s.value for f in text_string_to_metric_families(text) for s in f.samples}


def test_a_refused_plan_shows_until_the_file_is_mended(room: Room) -> None:
    assert series(room)["tidegate_plan_refused"] == 0
    room.plan_file.write_text("routes: {a: nowhere}")
    room.ask("POST", "/api/plan/reload")
    refused = series(room)
    assert refused["tidegate_plan_refused"] == 1
    assert refused["tidegate_plan_reload_failures_total"] == 1
    room.plan_file.write_text(PLAN.format(route="talk"))
    room.ask("POST", "/api/plan/reload")
    assert series(room)["tidegate_plan_refused"] == 0
    assert series(room)["tidegate_plan_published_total"] == 2


def test_a_target_s_day_of_retirement_is_a_time_by_route(room: Room) -> None:
    assert "tidegate_target_retires_timestamp_seconds" not in series(room)
    going = (
        "small: {{provider: mine, model: small, facts: {{retires_on: 2027-01-01}}, price: free}}"
    )
    plan = PLAN.replace("small: {{provider: mine, model: small, price: free}}", going)
    room.plan_file.write_text(plan.format(route="talk"))
    room.ask("POST", "/api/plan/reload")
    assert series(room)["tidegate_target_retires_timestamp_seconds"] == 1_798_761_600
    text = plan_metrics.render(room.plans).decode()
    assert 'retires_timestamp_seconds{route="talk",target="small"}' in text


def test_the_version_in_force_is_a_label(room: Room) -> None:
    text = plan_metrics.render(room.plans).decode()
    assert f'tidegate_plan_info{{version="1",digest="{room.plans.current.digest}"}} 1' in text
