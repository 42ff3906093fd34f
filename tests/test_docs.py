"""What the pages say is so: links, plans, commands, and the lists of the architecture page."""

import functools
import inspect
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import msgspec
import pytest
from click import Command, Context, Group
from msgspec.structs import fields

from tidegate.cli import commands
from tidegate.config.load import compile_file
from tidegate.core.declared import Declared
from tidegate.core.declared_limits import DeclaredLimit
from tidegate.core.facts import Kinds
from tidegate.core.layout import Layout
from tidegate.core.limit import SPEND, Reading
from tidegate.core.outcome import CODES
from tidegate.core.plan import Limit
from tidegate.gateway.http.answers import error_body
from tidegate.gateway.life import live

REPOSITORY = Path(__file__).resolve().parent.parent
PAGES = sorted([*REPOSITORY.glob("*.md"), *REPOSITORY.glob("docs/**/*.md")])
EXAMPLES = sorted(REPOSITORY.glob("examples/*.yaml"))
# A snippet with one of these at its top is a plan; others are scripts of faults and the like.
PLAN_KEYS = tuple(f"{key}:" for key in Declared.__struct_fields__)
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_SNIPPET = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_TODAY_S = 1_800_000_000.0
_OFFERED_BY_BOOT = {"demo", "up"}


def page_id(page: Path) -> str:
    return str(page.relative_to(REPOSITORY))


def snippets(page: Path, language: str) -> list[str]:
    return [text for name, text in _SNIPPET.findall(page.read_text()) if name == language]


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in _LINK.findall(page.read_text()):
        if link.startswith("https://"):
            continue
        path, _, anchor = link.partition("#")
        aim = (page.parent / path).resolve() if path else page
        assert aim.exists(), f"{link} leads nowhere"
        assert aim.is_relative_to(REPOSITORY), f"{link} leads out of the repository"
        if anchor:
            assert anchor in anchors(aim), f"{link}: there is no such heading"


@pytest.mark.parametrize(
    "plan",
    [
        pytest.param(text, id=f"{page_id(page)}-{number}")
        for page in PAGES
        for number, text in enumerate(snippets(page, "yaml"))
        if any(line.startswith(PLAN_KEYS) for line in text.splitlines())
    ],
)
def test_every_plan_on_a_page_compiles(plan: str) -> None:
    compiled = compile_file(plan.encode(), {"OPENAI_API_KEY": "set"}, 1, _TODAY_S)
    assert [str(problem) for problem in compiled.problems] == []


@pytest.mark.parametrize("example", EXAMPLES, ids=page_id)
def test_every_example_compiles(example: Path) -> None:
    compiled = compile_file(example, {}, 1, _TODAY_S)
    assert [str(problem) for problem in compiled.problems] == []


def told_commands(page: Path) -> list[list[str]]:
    """`tidegate ...` lines of shell snippets and inline code, as words, without `<...>`."""
    text = page.read_text()
    lines = [line for snippet in snippets(page, "sh") for line in snippet.splitlines()]
    lines += re.findall(r"`(tidegate [^`]+)`", text)
    return [line.split() for line in lines if line.startswith("tidegate ")]


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_every_command_told_of_exists_with_its_options(page: Path) -> None:
    for words in told_commands(page):
        command: Command = commands()
        rest = words[1:]
        if rest[0] in _OFFERED_BY_BOOT:
            assert_boot_offers(rest)
            continue
        while isinstance(command, Group) and rest:
            found = command.get_command(Context(command), rest[0])
            assert found is not None, f"{' '.join(words)}: there is no {rest[0]}"
            command, rest = found, rest[1:]
        options = {o for parameter in command.params for o in (*parameter.opts, "--help")}
        for word in rest:
            assert not word.startswith("--") or word in options, f"{' '.join(words)}: {word}"


def assert_boot_offers(words: list[str]) -> None:
    told = boot_help(words[0])
    assert all(word in told for word in words if word.startswith("--"))


@functools.cache
def boot_help(command: str) -> str:
    return subprocess.run(
        [sys.executable, "-m", "tidegate.boot", command, "--help"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def test_every_make_target_told_of_is_listed() -> None:
    listed = subprocess.run(
        ["make", "-s", "help"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    ).stdout
    for page in PAGES:
        for name in re.findall(r"(?:^|`)make (\w+)", page.read_text(), re.MULTILINE):
            assert f"  make {name} " in listed, f"{page_id(page)}: make {name}"


def test_the_readme_says_it_shortly_with_a_picture_and_two_commands() -> None:
    text = (REPOSITORY / "README.md").read_text()
    first = text.split("\n\n")[1]
    assert len(first.splitlines()) <= 5
    assert (REPOSITORY / "docs/tidegate.svg").is_file()
    assert "(docs/tidegate.svg)" in text
    assert [s.strip() for s in snippets(REPOSITORY / "README.md", "sh")] == ["make up", "make test"]
    [plan] = snippets(REPOSITORY / "README.md", "yaml")
    assert len(plan.splitlines()) <= 20


def test_the_index_lists_every_page() -> None:
    listed = set(_LINK.findall((REPOSITORY / "docs/README.md").read_text()))
    pages = {page.name for page in (REPOSITORY / "docs").glob("*.md")}
    assert pages - listed == {"README.md"}


ARCHITECTURE = REPOSITORY / "docs/architecture.md"


def first_column(heading: str) -> list[str]:
    """The first cell of each row of the first table under `## heading`, without its backticks."""
    section = ARCHITECTURE.read_text().partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    cells = re.findall(r"^\| `?([^`|]+?)`? \|", section, re.MULTILINE)
    return cells[1:]


def test_the_page_lists_the_rooms_that_there_are() -> None:
    package = REPOSITORY / "src/tidegate"
    rooms = {path.parent.name for path in package.glob("*/*.py")}
    assert set(first_column("Rooms")) == rooms


def test_the_page_draws_the_layers_that_are_checked() -> None:
    with (REPOSITORY / "pyproject.toml").open("rb") as file:
        contracts = tomllib.load(file)["tool"]["importlinter"]["contracts"]
    [layers] = [contract["layers"] for contract in contracts if contract["type"] == "layers"]
    assert "\n".join(layers) in ARCHITECTURE.read_text()


def test_the_page_lists_the_stages_that_there_are() -> None:
    stages = first_column("A request's life")
    assert f"\n{' -> '.join(stages)}\n" in ARCHITECTURE.read_text()
    gateway = REPOSITORY / "src/tidegate/gateway"
    assert [name for name in stages if not (gateway / f"{name}.py").is_file()] == []
    life = inspect.getsource(live)
    called = [life.index(f"{name}(") for name in stages]
    assert called == sorted(called)


def test_the_page_lists_the_steps_of_an_attempt() -> None:
    steps = first_column("An attempt")
    assert f"\n{' -> '.join(steps)}\n" in ARCHITECTURE.read_text()
    source = (REPOSITORY / "src/tidegate/gateway/attempts.py").read_text()
    attempt = source.partition("async def attempts(")[2].partition("\nasync def ")[0]
    called = [attempt.index(f"{name}(") for name in steps]
    assert called == sorted(called)


def test_the_page_lists_the_state_that_there_is(tmp_path: Path) -> None:
    paths = {path.name for path in vars(Layout(tmp_path)).values() if path.parent == tmp_path}
    assert set(first_column("Where state lies")) == paths


LIMITS = REPOSITORY / "docs/limits.md"


def test_the_refusal_that_is_shown_is_the_one_that_is_sent() -> None:
    limit = Limit("team-tokens", "tokens", 200_000, ("team",), per_s=60.0)
    reading = Reading(198_400, 200_000, reset_s=59.6, retry_s=2.4)
    refusal = Kinds().get("tokens").refusal(limit, "team growth", reading)
    [shown] = snippets(LIMITS, "json")
    assert msgspec.json.decode(error_body(refusal)) == msgspec.json.decode(shown)


def test_the_refusals_that_are_told_of_are_those_that_there_are() -> None:
    section = LIMITS.read_text().partition("\n## What a refusal looks like\n")[2]
    rows = re.findall(r"^\| (`.+?`) \| (\d+) \| .* \| `(\w+)` \|$", section, re.MULTILINE)
    assert rows
    for names, status, retry in rows:
        for name in re.findall(r"`(\w+)`", names):
            code = CODES[name]
            assert (code.status, str(code.retry).lower()) == (int(status), retry), name
            assert code.fault == "policy"


def test_the_kinds_of_limit_are_listed_with_what_they_read() -> None:
    page = (REPOSITORY / "docs/plan-file.md").read_text()
    section = page.partition("\n## Limits and budgets\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \| .* \|(.*)\|$", section, re.MULTILINE)
    kinds = Kinds()
    assert {name for name, _ in rows} == set(kinds.names()) - {SPEND}
    keys = {field.name: field.encode_name for field in fields(DeclaredLimit)}
    for name, reads in rows:
        own = {keys[field] for field in kinds.get(name).fields}
        assert own == {word for word in re.findall(r"`(\w+)`", reads) if word in keys.values()}
