"""What of a route's `quality` could not be graded is refused by its place in the file."""

import pytest

from tidegate.config.load import Compiled, compile_file

PLAN = """\
providers: {{mine: {{kind: vllm, base_url: "http://127.0.0.1:9/v1"}}}}
routes:
  grader: mine/judge-7b
  chat:
    target: mine/chat-7b
    capture: 5%
    quality: {quality}
"""


def compiled(quality: str) -> Compiled:
    return compile_file(PLAN.format(quality=quality).encode(), {}, 1, 1000.0)


@pytest.mark.parametrize(
    ("quality", "at", "what"),
    [
        ("{checks: [{contain: {any: [x]}}]}", "checks.0.contain", "did you mean"),
        ("{checks: [{judge_rubric: {rubric: x}}]}", "checks", "needs a judge"),
        ("{checks: [refusal], judge: nobody}", "judge", "there is no route"),
        ("{checks: [{refusal: {}, weight: 0}]}", "checks", "no check has a weight"),
        ("{checks: [refusal], most_usd_per_day: 0}", "most_usd_per_day", "above 0"),
        ("{checks: [refusal], hits: {}}", "hits", "kept answers are judged by a model"),
        ("{judge: grader, judge_parameters: '[7]'}", "judge_parameters", "expected a mapping"),
    ],
)
def test_what_is_wrong_is_refused(quality: str, at: str, what: str) -> None:
    [problem] = [str(it) for it in compiled(quality).problems]
    assert "tidegate.yaml:7:" in problem
    assert f"routes.chat.quality.{at}: " in problem
    assert what in problem


@pytest.mark.parametrize(
    "quality",
    [
        "{}",
        "{checks: [refusal]}",
        "{checks: [{judge_rubric: {rubric: It is polite.}}], judge: grader}",
    ],
)
def test_what_can_be_graded_is_taken(quality: str) -> None:
    assert compiled(quality).plan is not None
