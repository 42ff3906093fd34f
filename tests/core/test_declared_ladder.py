"""What a plan file says of a ladder is what gateways obey."""

from tidegate.config.load import compile_file
from tidegate.core.ladder import FAILURES, Handover, History, Rung, When
from tidegate.core.secret import SecretRef

FILE = """
providers:
  vllm: {base_url: "http://127.0.0.1:8000/v1"}
routes:
  small:
    target: vllm/m
    contract: {json: true, on_violation: fail}
    cache: {exact: {ttl: 10m}}
    ladder:
      - name: all
        when:
          failure: [overflow, any]
          budget: 80%
          slow_first_token: 500ms
          slow_answer: 9s
          quality: [invalid, refused]
        output: {max_tokens: 9}
        target: vllm/n
        system_prompt: Be brief.
        prompt:
          history:
            keep_first_turns: 1
            keep_last_turns: 2
            max_tokens: 300
            tool_results: drop
            whitespace: squeeze
      - {name: kept, stale: 2d}
      - {name: later, batch_only: true}
      - name: person
        handover:
          {url: "https://desk.example.com/x", answer: "{}", token: "${T}", conversation: true}
      - {name: sorry, apology: "{}", when: {pressure: true}}
"""


def test_everything_that_can_be_written_is_obeyed() -> None:
    found = compile_file(FILE.encode(), {}, 1, 1.0)
    assert found.plan is not None, found.problems
    route = found.plan.routes["small"]
    every = ("overflow", *(it for it in FAILURES if it != "overflow"))
    when = When(every, 80, 0.5, 9.0, ("invalid", "refused"))
    desk = Handover("https://desk.example.com/x", SecretRef(env="T"), True)
    history = History(1, 2, 300, True, True)
    assert route.ladder == (
        Rung("all", "model", when, 9, "vllm/n", "Be brief.", None, history),
        Rung("kept", "stale", stale_s=172_800.0),
        Rung("later", "batch_only"),
        Rung("person", "handover", handover=desk, text="{}"),
        Rung("sorry", "apology", When(pressure=True), text="{}"),
    )


def test_what_a_ladder_reaches_is_the_plans_and_no_part_of_its_route() -> None:
    found = compile_file(FILE.encode(), {}, 1, 1.0)
    assert found.plan is not None
    route = found.plan.routes["small"]
    assert [it.name for it in route.rung_targets] == ["vllm/n"]
    assert "vllm/n" in found.plan.targets
    assert "vllm/n" not in {it.name for it in route.targets}


def test_answers_are_kept_as_long_as_a_rung_gives_them() -> None:
    found = compile_file(FILE.encode(), {}, 1, 1.0)
    assert found.plan is not None
    cache = found.plan.routes["small"].cache
    assert cache is not None
    assert cache.exact is not None
    assert cache.exact.keep_s == 600 + 172_800


def test_a_ladder_names_no_release() -> None:
    without = FILE[: FILE.index("    ladder:")]
    releases = [compile_file(it.encode(), {}, 1, 1.0).plan for it in (FILE, without)]
    names = {it.routes["small"].release.name for it in releases if it is not None}
    assert len(names) == 1
