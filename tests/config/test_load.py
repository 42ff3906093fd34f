"""Whole files: every broken plan says what it must, every example compiles, no bytes break it."""

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidegate.config.load import Compiled, compile_file, load
from tidegate.config.prices import PriceTable
from tidegate.config.tree import MAX_FILE_BYTES
from tidegate.core.facts import Facts
from tidegate.core.secret import SecretRef

ROOT = Path(__file__).parents[2]
BAD = sorted((ROOT / "tests/bad").glob("*.yaml"))
EXAMPLES = sorted((ROOT / "examples").glob("*.yaml"))
NOW_S = 1_795_000_000.0
ENVIRON = {"OPENAI_API_KEY": "sk-x", "SECRET_TEXT": "sk-hush"}
EXPECT = "# expect: "


def compiled(source: Path | bytes, **environ: str) -> Compiled:
    return compile_file(source, {**ENVIRON, **environ}, 1, NOW_S)


@pytest.mark.parametrize("file", BAD, ids=lambda f: f.stem)
def test_a_broken_plan_says_everything_that_is_wrong_and_where(file):
    expected = [
        line.removeprefix(EXPECT)
        for line in file.read_text().splitlines()
        if line.startswith(EXPECT)
    ]
    found = compiled(file)
    assert expected, "a broken plan ends with what is expected of it"
    said = [str(p).removeprefix(f"{file}:") for p in found.problems]
    assert len(said) == len(expected)
    for line, start in zip(said, expected, strict=True):
        assert line == start or (start.endswith(" ...") and line.startswith(start[:-4]))
    assert found.plan is None and found.declared is None


def test_no_message_holds_a_secret():
    said = "".join(str(p) for file in BAD for p in compiled(file).problems)
    for secret in ("sk-hush", "sk-proj-1234567890", "sk-default", "sk-1", "user:secret"):
        assert secret not in said


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda f: f.stem)
def test_an_example_compiles(file):
    found = compiled(file)
    assert found.problems == ()
    assert found.plan is not None and found.plan.routes


@pytest.mark.parametrize("name", ["openai", "vllm"])
def test_fifteen_lines_are_enough(name):
    assert len((ROOT / f"examples/{name}.yaml").read_text().splitlines()) <= 15


def test_the_large_example_uses_replicas_and_several_providers():
    found = compiled(ROOT / "examples/replicas-and-providers.yaml")
    assert found.plan is not None
    targets = [r.release.target for r in found.plan.routes.values()]
    assert max(len(t.replicas) for t in targets) == 2
    assert len({t.provider for t in targets}) == 4


def test_a_file_that_is_not_there():
    found = compiled(Path("/nowhere/tidegate.yaml"))
    expected = "/nowhere/tidegate.yaml:1:1: cannot be read: No such file or directory"
    assert [str(p) for p in found.problems] == [expected]


def test_a_folder_is_no_file(tmp_path):
    assert "cannot be read" in str(compiled(tmp_path).problems[0])


def test_a_path_with_a_nul_cannot_be_read():
    assert "cannot be read" in str(load("a\0b", {}).problems[0])


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "the plan is empty"),
        (b"# nothing\n", "the plan is empty"),
        (b"~", "the plan is empty"),
        (b"a: \xff", "1:4: this byte is not UTF-8"),
        (b"a: b\nb: \x00", "2:4: this is not YAML"),
        (b"x" * (MAX_FILE_BYTES + 1), "at most 1048576"),
        (b"- " * 400_000, "nested deeper"),
        (b"[" * 500_000, "nested deeper"),
        (b"- a\n" * 60_000, "more than 50000 values"),
    ],
)
def test_bytes_that_are_no_plan(data, said):
    assert said in str(compiled(data).problems[0])


def test_a_byte_order_mark_is_no_part_of_the_plan():
    text = (ROOT / "examples/sim.yaml").read_text()
    assert compiled(text.encode("utf-8-sig")).plan is not None


def test_relative_paths_count_from_the_plan_file(tmp_path):
    plan = tmp_path / "tidegate.yaml"
    plan.write_text(
        "providers: {sim: {ca_file: ca.pem, api_key: 'file:k/sim.key'}}\nroutes: {chat: sim/chat}\n"
    )
    found = compiled(plan)
    assert found.declared is not None and found.plan is not None
    assert found.declared.storage.dir == str(tmp_path / ".tidegate")
    target = found.plan.routes["chat"].release.target
    assert target.tls.ca_file == str(tmp_path / "ca.pem")
    assert target.credential == SecretRef(file=str(tmp_path / "k/sim.key"))


def test_load_reads_without_resolving_names():
    found = load(b"routes: {chat: nowhere/x}", {}, "my.yaml")
    assert found.declared is not None and found.problems == ()
    assert compiled(b"routes: {chat: nowhere/x}").plan is None


def test_load_names_the_file_as_told():
    assert str(load(b"rutes: {}", {}, "my.yaml").problems[0]).startswith("my.yaml:1:1: rutes")


def test_an_anchor_shared_by_merge_keys():
    found = compiled(
        b"providers: {sim: {}}\n"
        b"targets:\n"
        b"  a: &base {provider: sim, model: a, price: free, max_connections: 7}\n"
        b"  b: {<<: *base, model: b}\n"
        b"routes: {a: {target: a}, b: {target: b}}\n"
    )
    assert found.plan is not None
    target = found.plan.routes["b"].release.target
    assert (target.model, target.max_connections) == ("b", 7)


def test_a_reload_of_the_same_file_is_the_same_plan():
    file = ROOT / "examples/replicas-and-providers.yaml"
    first, second = compiled(file), compile_file(file, ENVIRON, 2, NOW_S + 1)
    assert first.plan is not None and second.plan is not None
    assert first.plan.digest == second.plan.digest


def total(data: bytes, environ: dict[str, str]) -> None:
    """A plan, or problems that each stand in one printable line; never an exception."""
    found = compile_file(data, environ, 1, NOW_S)
    assert (found.plan is None) == bool(found.problems) == (found.declared is None)
    for problem in (*found.problems, *found.warnings):
        assert str(problem).isprintable(), problem
        assert problem.mark.line >= 1 and problem.mark.column >= 1


@given(st.binary(max_size=200))
def test_any_bytes_are_a_plan_or_problems(data):
    total(data, ENVIRON)


@given(st.text("abkprs:-{}[]&*!|>'\"%@`#,?~<$0.\n \t", max_size=120))
def test_any_yaml_is_a_plan_or_problems(text):
    total(text.encode(), ENVIRON)


WORDS = [
    *("~", "[]", "{}", "''", '"\\0"', "-1", "1e99", "99999999999999999999", "nan", ".inf", "yes"),
    *(
        "${",
        "${X}",
        "${X:-}",
        "os.environ/X",
        "$${",
        "*a",
        "&a x",
        "!!str x",
        "<<",
        "? x",
        "|",
        ">",
    ),
    *(
        "none",
        "free",
        "file:",
        "http://",
        "http://[",
        "a/",
        "/a",
        "\u202e",
        "\U0001f600",
        "é",
        "sim",
    ),
    *("{<<: {provider: sim}}", "[{}]", "{a: {b: {c: d}}}", "2024-01-01", "0x10", "1:30", "1_000"),
]


@settings(max_examples=400)
@given(
    st.sampled_from(BAD + EXAMPLES),
    st.randoms(use_true_random=False),
    st.dictionaries(st.sampled_from(["X", "VLLM_HOST", "OPENAI_API_KEY"]), st.text(max_size=20)),
)
def test_any_change_to_a_plan_is_a_plan_or_problems(file, draw, environ):
    total(mutated(file.read_text(), draw), environ)


def mutated(text: str, draw: random.Random) -> bytes:
    """One to three edits: a value, a key, a line, a stretch of bytes."""
    lines = text.splitlines()
    for _ in range(draw.randint(1, 3)):
        at = draw.randrange(len(lines))
        match draw.randrange(5):
            case 0:
                lines[at] = lines[at].partition(":")[0] + ": " + draw.choice(WORDS)
            case 1:
                lines[at] = draw.choice(WORDS) + lines[at]
            case 2:
                lines.insert(at, lines[draw.randrange(len(lines))])
            case 3:
                lines[at] = "  " * draw.randint(0, 3) + lines[at].lstrip()
            case _:
                lines[at] = lines[at][: draw.randint(0, len(lines[at]))]
    data = bytearray("\n".join(lines).encode())
    if data and draw.random() < 0.3:
        data[draw.randrange(len(data))] = draw.randrange(256)
    return bytes(data)


@pytest.mark.soak
@pytest.mark.timeout(1200)
def test_a_hundred_thousand_changes_are_each_a_plan_or_problems():
    texts = [file.read_text() for file in BAD + EXAMPLES]
    for seed in range(100_000):
        draw = random.Random(seed)
        total(mutated(draw.choice(texts), draw), {"X": draw.choice(["", "1", "\n", "sk"])})


SHARED = "storage: {database: postgresql://u@db/t}\n"
COUNTED = "limits: {rpm: {kind: requests, amount: 9, per: minute}}\n"
JUDGES = "limits: {long: {kind: max_input_tokens, amount: 9}}\n"
REDIS = "storage: {database: postgresql://u@db/t, limits: {url: 'redis://r'}}\n"


@pytest.mark.parametrize(
    ("text", "environ", "where"),
    [
        (SHARED + COUNTED, {}, "storage.database"),
        (COUNTED, {"TIDEGATE_DATABASE": "postgresql://u@db/t"}, "limits.rpm"),
        (SHARED + "budgets: {all: {amount: $5, per: day}}\n", {}, "storage.database"),
        (REDIS + COUNTED, {}, None),
        (COUNTED, {}, None),
        (SHARED + JUDGES, {}, None),
    ],
)
def test_machines_that_would_each_allow_the_whole_of_a_limit(text, environ, where):
    said = compiled(f"providers: {{sim: {{}}}}\nroutes: {{r: sim/m}}\n{text}".encode(), **environ)
    assert said.problems == ()
    found = [w for w in said.warnings if "each machine for itself" in w.message]
    assert [".".join(w.path) for w in found] == ([where] if where else [])


def test_keys_that_bring_limits_are_counted_by_each_machine_too():
    text = f"providers: {{sim: {{}}}}\nroutes: {{r: sim/m}}\n{SHARED}".encode()
    for limited in (True, False):
        facts = Facts(PriceTable(NOW_S).quote, keys_limited=lambda limited=limited: limited)
        said = compile_file(text, {}, 1, NOW_S, facts)
        assert any("each machine for itself" in w.message for w in said.warnings) is limited
