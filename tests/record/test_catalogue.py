"""The catalogue is sound, and the page that lists receipts and metrics says what the code says."""

import re
from pathlib import Path

import msgspec
import pytest

from tidegate.core.receipt import Attempt, Receipt
from tidegate.record import cache_catalogue, catalogue, litellm_names, measures, own_catalogue
from tidegate.record.series import Spec
from tidegate.record.vitals import KNOWN

Row = dict[str, str]


@pytest.fixture(scope="module")
def page(repository: Path) -> str:
    return (repository / "docs" / "receipts-and-metrics.md").read_text()


def table(page: str, heading: str) -> dict[str, Row]:
    """The first table below a heading, by the name in its first column."""
    section = page.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    titles = [cell.strip() for cell in lines[0].strip("|").split("|")]
    rows = {}
    for line in lines[2:]:
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        assert len(cells) == len(titles), line
        rows[cells[0].strip("`")] = dict(zip(titles, cells, strict=True))
    return rows


@pytest.mark.parametrize(("heading", "kind"), [("The receipt", Receipt), ("An attempt", Attempt)])
def test_the_page_lists_every_field_with_its_type(
    page: str, heading: str, kind: type[msgspec.Struct]
) -> None:
    rows = table(page, heading)
    assert list(rows) == list(kind.__struct_fields__)
    for field in msgspec.structs.fields(kind):
        shown = rows[field.name]
        assert shown["type"] == _type(field.type), field.name
        unknown = "yes" if "None" in str(field.type) else ""
        assert shown["may be unknown"] == unknown, field.name
        assert shown["meaning"].endswith("."), field.name


def _type(kind: object) -> str:
    """`str`, `int`, `float`, `bool`, `dict` or `list`."""
    text = str(kind).replace("typing.", "")
    for name in ("dict", "list", "Literal", "str", "bool", "int", "float"):
        if re.search(rf"\b{name}\b", text):
            return "str" if name == "Literal" else name
    raise AssertionError(text)


def test_the_page_lists_every_metric_with_unit_and_labels(page: str) -> None:
    rows = table(page, "Metrics of requests and of the recorder")
    assert set(rows) == {spec.name for spec in catalogue.ALL}
    for spec in catalogue.ALL:
        row = rows[spec.name]
        assert row["kind"] == spec.kind, spec.name
        assert row["unit"] == spec.unit, spec.name
        assert row["labels"] == _labels(spec), spec.name


def _labels(spec: Spec) -> str:
    for name, common in (("OTEL", measures.OTEL), ("OURS", measures.OURS)):
        if spec.labels[: len(common)] == common:
            return " ".join([name, *(f"`{label}`" for label in spec.labels[len(common) :])])
    return " ".join(f"`{label}`" for label in spec.labels)


def test_the_page_lists_what_gateways_report(page: str) -> None:
    rows = table(page, "Metrics of a gateway")
    assert {name: row["unit"] for name, row in rows.items()} == {
        name: unit for name, (unit, _) in KNOWN.items()
    }


def test_the_page_lists_litellms_names(page: str) -> None:
    rows = table(page, "LiteLLM's names")
    assert {name: row["ours"].strip("`") for name, row in rows.items()} == litellm_names.NAMES


def test_the_page_names_the_common_labels(page: str) -> None:
    for label in (*measures.OURS, *measures.OTEL):
        assert f"`{label}`" in page


@pytest.mark.parametrize("spec", catalogue.ALL, ids=lambda spec: spec.name)
def test_a_metric_is_named_as_prometheus_asks(spec: Spec) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9_]*", spec.name)
    assert spec.name.endswith("_total") is (spec.kind == "counter")
    assert bool(spec.buckets) is (spec.kind == "histogram")
    assert list(spec.buckets) == sorted(set(spec.buckets))
    assert set(spec.closed) & set(spec.labels) <= set(spec.labels)
    assert len(set(spec.labels)) == len(spec.labels)


def test_every_metric_is_there_once() -> None:
    names = [spec.name for spec in catalogue.ALL]
    assert len(set(names)) == len(names)
    for module in (catalogue, cache_catalogue, own_catalogue):
        specs = [it for it in vars(module).values() if isinstance(it, Spec)]
        assert {it.name for it in specs} <= set(names)
