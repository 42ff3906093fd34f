"""Files of releases: what they say, and everything that is wrong with one, by line."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.core.plans import FixedDialects, FixedKinds, declared, no_price

from tidegate.config.releases import (
    ReleaseFile,
    against_plan,
    read_release,
    release_file,
    release_files,
    with_release,
)
from tidegate.core.facts import Facts
from tidegate.core.rollout import DEFAULT_STEPS, Approvals, HarmMetric, Runtime, Shadow, Step

NOW_S = 1_795_000_000.0
FACTS = Facts(no_price, FixedDialects(), FixedKinds())  # type: ignore[arg-type]
WHOLE = """\
owner: ana@example.com
why: Shorter answers at the same quality.
change:
  target: llama
  parameters: {temperature: 0.2, stop: [END]}
  system_prompt: |
    Be brief.
    Say so when you do not know.
  runtime:
    model_snapshot: "2026-10-01"
    scheduler: {max_num_seqs: "64"}
assign:
  units: [user, request]
  never: [team:audit]
shadow: {share: 2%, min_requests: 20, max: 30m, usd: 0.50}
steps:
  - {weight: 1%, min_units: 20, smoke: true}
  - {weight: 0.25, min: 5m, max: 6h}
harm:
  error: {}
  output_tokens: {margin: 1.3, weight: 2, no_data: fail}
approvals: {promotion: 1}
soak: 2h
business_hours: mon-fri 09:00-17:00 Europe/Berlin
labels: [prompt]
"""


def read(folder: Path, text: str, name: str = "chat/brief", **environ: str) -> ReleaseFile:
    file = release_file(folder / "tidegate.yaml", name)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return read_release(file, folder / "tidegate.yaml", environ)


def said(found: ReleaseFile) -> list[str]:
    return [f"{it.mark.line}: {'.'.join(it.path)}: {it.message}" for it in found.problems]


def test_a_file_says_all_of_a_rollout(tmp_path: Path) -> None:
    found = read(tmp_path, WHOLE)
    assert said(found) == []
    rollout = found.rollout
    assert rollout is not None
    assert (rollout.id, rollout.route, rollout.owner) == ("chat/brief", "chat", "ana@example.com")
    assert {name: bytes(value) for name, value in rollout.members.items()} == {
        "target": b'"llama"',
        "targets": b"{}",
        "parameters": b'"{\\"temperature\\":0.2,\\"stop\\":[\\"END\\"]}"',
        "system_prompt": b'"Be brief.\\nSay so when you do not know.\\n"',
    }
    assert rollout.runtime == Runtime("2026-10-01", scheduler={"max_num_seqs": "64"})
    assert rollout.units == ("user", "request") and rollout.never == ("team:audit",)
    assert rollout.shadow == Shadow(0.02, 20, 1800.0, 500_000_000)
    assert rollout.steps == (Step(0.01, 20, smoke=True), Step(0.25, min_s=300.0, max_s=21600.0))
    assert rollout.harm == (
        HarmMetric("error", 0.02),
        HarmMetric("output_tokens", 1.3, 2.0, "fail"),
    )
    assert rollout.approvals == Approvals(promotion=1)
    assert (rollout.soak_s, rollout.labels) == (7200.0, ("prompt",))


def test_two_lines_are_a_release_with_all_defaults(tmp_path: Path) -> None:
    rollout = read(tmp_path, "owner: ana\nchange: llama\n").rollout
    assert rollout is not None
    assert rollout.steps == DEFAULT_STEPS and rollout.shadow is None
    assert [it.name for it in rollout.harm][:3] == ["error", "refusal", "invalid"]
    assert rollout.units[0] == "experiment"


def test_the_digest_covers_what_the_file_says_and_not_how(tmp_path: Path) -> None:
    one = read(tmp_path, "owner: ana\nchange: llama\n").rollout
    same = read(tmp_path, "change: {target: llama}  # the same\nowner: ana\n").rollout
    other = read(tmp_path, "owner: ben\nchange: llama\n").rollout
    assert one is not None and same is not None and other is not None
    assert one.digest == same.digest != other.digest


def test_a_member_that_is_written_at_its_default_is_a_change_too(tmp_path: Path) -> None:
    rollout = read(tmp_path, "owner: ana\nchange: {balance: weighted}\n").rollout
    assert rollout is not None and bytes(rollout.members["balance"]) == b'"weighted"'


def test_variables_are_those_of_the_plan_file(tmp_path: Path) -> None:
    rollout = read(tmp_path, "owner: ana\nchange: ${NEXT}\n", NEXT="llama").rollout
    assert rollout is not None and bytes(rollout.members["target"]) == b'"llama"'


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("", ["1: : it is empty; it needs `owner:` and `change:`"]),
        ("owner: a\n", ["1: : `change` is missing"]),
        (
            "owner: a\nchange: {}\nsteps:\n  - {weight: 20%}\n  - {weight: 5%}\n",
            [
                "2: change: it changes nothing of the route",
                "5: steps.1.weight: 0.05 comes after 0.2; write rising weights",
            ],
        ),
        (
            "owner: a\nchange:\n  runtime: {runtime: vllm 0.11}\n",
            [
                "3: change: it changes nothing of the route; another runtime has an address of its "
                "own: write its `target`"
            ],
        ),
        (
            "owner: a\nchange: {target: x, targets: {y: 1}}\n",
            ["2: change.targets: `target` is written too; remove one of them"],
        ),
        (
            "owner: a\nchange: x\nharm:\n  eror: {}\n  cost: {margin: 0.1}\n  error: {margin: 2}\n",
            [
                '4: harm.eror: there is no harm metric "eror"; did you mean "error"?',
                "5: harm.cost.margin: a ratio of amounts is above 1, such as 1.15",
                "6: harm.error.margin: points of a share are below 1, such as 0.02",
            ],
        ),
        (
            "owner: a\nchange: x\nassign: {units: [user, user], never: [audit]}\n",
            [
                '3: assign.units.1: "user" is here twice',
                "3: assign.never.0: write key:ID, team:NAME or customer:NAME",
            ],
        ),
        (
            "owner: a\nchange: x\nassign: {units: [], always: [key:k], never: [key:k]}\n",
            [
                "3: assign.units: the list is empty; write `[request]` to assign each by itself",
                '3: assign.never.0: "key:k" is in `always` too',
            ],
        ),
        (
            "owner: a\nchange: x\nshadow: {usd: 0}\nhard: {bad: 3, of: 2}\n",
            [
                "3: shadow.usd: so nothing would ever be copied; remove `shadow`",
                "4: hard.bad: 3 of 2 there can never be",
            ],
        ),
        (
            "owner: a\nchange: x\nsteps:\n  - {weight: 1%, smoke: true, min: 2h, max: 1h}\n",
            [
                "4: steps: every step is smoke, so nothing would ever be shown to be safe",
                "4: steps.0.min: it lasts 7200 s at least and 3600 s at most",
            ],
        ),
        (
            "owner: a\nchange: x\nsteps:\n  - {weight: 2%}\n  - {weight: 5%, smoke: true}\n",
            ["5: steps.1.smoke: a step before it is judged; the smoke steps come first"],
        ),
        (
            "owner: a\nchange: x\nbusiness_hours: 9 to 5\nsteps:\n  - {weight: 120%}\n",
            [
                "3: business_hours: write days, hours and a time zone, such as `mon-fri "
                "09:00-17:00 Europe/Berlin`",
                '5: steps.0.weight: it must be at most 1; found "120%"',
            ],
        ),
        ("owner: a\nchange: {targt: x}\n", ['2: change.targt: unknown key; did you mean "target"?',
                                            ]),
    ],
)  # fmt: skip
def test_everything_that_is_wrong_is_said_at_its_line(
    tmp_path: Path, text: str, problems: list[str]
) -> None:
    found = read(tmp_path, text)
    assert found.rollout is None
    assert said(found) == problems


def test_what_the_plan_does_not_have_is_said_at_the_releases_line(tmp_path: Path) -> None:
    found = read(tmp_path, "owner: ana\nchange:\n  fallbacks:\n    overflow: [nowhere]\n")
    plan, problems = with_release(found, declared(), FACTS, NOW_S)
    assert plan is None
    assert [f"{it.mark.line} {it.message}" for it in problems] == ['4 there is no target "nowhere"']
    assert problems[0].file.endswith("releases/chat/brief.yaml")
    good = read(tmp_path, "owner: ana\nchange: {system_prompt: Be brief.}\n")
    plan, problems = with_release(good, declared(), FACTS, NOW_S)
    assert problems == () and plan is not None
    assert plan.routes["chat"].candidate is not None


def test_a_release_of_a_route_that_is_not_there_is_refused(tmp_path: Path) -> None:
    found = read(tmp_path, "owner: ana\nchange: llama\n", "chta/brief")
    [problem] = against_plan(found, declared(), FACTS, NOW_S)
    assert problem.message == 'the plan has no route "chta", which its folder names'


def test_files_are_found_below_their_routes_also_where_a_route_has_slashes(tmp_path: Path) -> None:
    for name in ("chat/b", "chat/a", "openai/gpt-4o/c"):
        read(tmp_path, "owner: ana\nchange: llama\n", name)
    plan = tmp_path / "tidegate.yaml"
    found = release_files(plan)
    rollouts = [read_release(file, plan, {}).rollout for file in found]
    assert [it.id for it in rollouts if it] == ["chat/a", "chat/b", "openai/gpt-4o/c"]
    assert rollouts[2] is not None and rollouts[2].route == "openai/gpt-4o"
    assert release_files(tmp_path / "elsewhere" / "tidegate.yaml") == []


@pytest.mark.parametrize("name", ["chat", "chat/../x", "../chat/x", "chat/x y", "/x", "chat/.x"])
def test_a_name_that_leads_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="write ROUTE/NAME"):
        release_file(tmp_path / "tidegate.yaml", name)


def test_a_file_that_lies_elsewhere_is_no_release(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text("owner: ana\nchange: llama\n")
    [problem] = read_release(tmp_path / "x.yaml", tmp_path / "tidegate.yaml", {}).problems
    assert problem.message.startswith("a release lies at releases/ROUTE/NAME.yaml")


def test_a_file_that_is_not_there_is_a_problem(tmp_path: Path) -> None:
    file = release_file(tmp_path / "tidegate.yaml", "chat/gone")
    [problem] = read_release(file, tmp_path / "tidegate.yaml", {}).problems
    assert "cannot be read" in problem.message


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_no_bytes_break_the_reader(tmp_path: Path, data: bytes) -> None:
    file = release_file(tmp_path / "tidegate.yaml", "chat/any")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)
    found = read_release(file, tmp_path / "tidegate.yaml", {})
    assert (found.rollout is None) == bool(found.problems)
