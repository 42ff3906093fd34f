from pathlib import Path

import msgspec
import pytest
import yaml
from tests.config.conform import conforms

from tidegate.config.schema import DIALECT, reference, schema
from tidegate.core.declared_rollout import DeclaredRollout

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("*.yaml"))
# Plans whose mistakes a schema can see; the others are between two values.
SHAPE_MISTAKES = [
    *("unknown_key", "unknown_key_far_from_any", "key_of_a_target_on_its_route", "wrong_types"),
    *("empty_values", "missing_keys", "bad_listeners", "bad_sizes_and_durations", "out_of_range"),
    *("secret_in_the_plan", "bad_choice", "not_a_mapping", "bad_names", "limits_unreadable"),
]


def fits(file: Path) -> bool:
    return conforms(yaml.safe_load(file.read_text()), schema(), schema())


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda f: f.stem)
def test_an_example_fits_the_schema(file):
    assert fits(file)


@pytest.mark.parametrize("name", SHAPE_MISTAKES)
def test_a_plan_of_a_wrong_shape_does_not_fit(name):
    assert not fits(ROOT / f"tests/bad/{name}.yaml")


def test_the_schema_says_which_dialect_it_is_and_is_plain_json():
    assert schema()["$schema"] == DIALECT
    assert msgspec.json.decode(msgspec.json.encode(schema())) == schema()


def test_every_reference_leads_somewhere():
    text = msgspec.json.encode(schema()).decode()
    names = {part.partition('"')[0] for part in text.split('"#/$defs/')[1:]}
    assert names == schema()["$defs"].keys()


def test_every_key_has_a_description():
    for name, record in schema()["$defs"].items():
        for key, found in record.get("properties", {}).items():
            assert found["description"], (name, key)


def test_a_variable_may_stand_for_any_scalar():
    plan = {
        "gateway": {"processes": "${N}", "listen": "os.environ/L", "drain_s": "${D:-5}"},
        "control": {"litellm_metric_names": "${M}"},
        "unpriced": "${U:-allow}",
    }
    assert conforms(plan, schema(), schema())


def test_the_reference_of_keys_in_the_docs_is_the_schemas():
    page = (ROOT / "docs/plan-file.md").read_text()
    assert reference() in page, "run `tidegate schema --markdown` and put it under `## Every key`"


def test_no_two_sections_of_the_reference_have_one_title():
    titles = [line for line in reference().splitlines() if line.startswith("### ")]
    assert len(set(titles)) == len(titles)
    assert "### `targets.NAME.price` (GpuPrice)" in titles


def test_the_reference_of_a_releases_keys_is_in_its_page():
    page = (ROOT / "docs/releases.md").read_text()
    text = reference(DeclaredRollout).rstrip()
    assert text in page, "put what `tidegate schema --release --markdown` prints at its end"
    assert "### `steps`" in text and "### `change.retry`" not in text


def test_a_release_has_a_schema_of_its_own():
    release = yaml.safe_load("{owner: ana, change: {target: x}, steps: [{weight: 5%}]}")
    whole = schema(DeclaredRollout)
    assert whole["title"] == "Tidegate release"
    assert conforms(release, whole, whole)
    assert not conforms({**release, "steps": [{"wait": 5}]}, whole, whole)
    assert not conforms({"change": "x"}, whole, whole)
