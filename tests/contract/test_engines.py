"""Every engine reader: a page says each signal or that it is unknown, and never 0 for unknown.

A reader is added to PAGES with saved pages of its engine.
"""

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.core import plugs
from tidegate.core.engine_signals import ENGINE_SIGNALS, EngineReader, Found
from tidegate.core.signal import NoData

FOLDER = Path(__file__).parent.parent / "engines" / "pages"
PAGES = {
    "vllm": ("vllm_0_8", "vllm_0_32", "vllm_0_32_later", "vllm_two_ranks"),
    "sim": ("vllm_0_32",),
    "sglang": ("sglang",),
    "llama_cpp": ("llama_cpp", "llama_cpp_later"),
    "trtllm": ("trtllm",),
    "tgi": ("tgi",),
}
EVERY = [(name, page) for name, pages in PAGES.items() for page in pages]
MISSING = NoData("missing")


def reader(name: str) -> EngineReader:
    found: EngineReader = plugs.load("engines", name)
    return found


def page(name: str) -> bytes:
    return (FOLDER / f"{name}.prom").read_bytes()


def samples(text: bytes, alias: str) -> list[bytes]:
    """The lines that the alias stands for."""
    name, _, label = alias.partition("{")
    key, _, value = label.rstrip("}").partition("=")
    starts = tuple(f"{name}{end}".encode() for end in ("{", " ", "_sum{", "_sum "))
    told = f'{key}="{value}"'.encode() if label else b""
    return [line for line in text.splitlines() if line.startswith(starts) and told in line]


def test_every_reader_is_tried() -> None:
    assert set(plugs.names("engines")) == set(PAGES)


@pytest.mark.parametrize(("name", "saved"), EVERY)
def test_every_signal_is_a_reading_or_unknown(name: str, saved: str) -> None:
    signals = reader(name).read(page(saved)).signals
    assert set(signals) == set(ENGINE_SIGNALS)
    for one in ("engine_running", "engine_waiting"):
        assert isinstance(signals[one], Found), "no engine is without these two"
    for found in signals.values():
        if isinstance(found, Found):
            told = {*found.parts.values(), *(found.per or {}).values()}
            assert all(math.isfinite(value) and value >= 0 for value in told)
            assert samples(page(saved), found.alias)
        else:
            assert found == MISSING


@pytest.mark.parametrize(("name", "saved"), EVERY)
def test_a_metric_that_is_gone_is_unknown_and_not_zero(name: str, saved: str) -> None:
    text = page(saved)
    for signal, found in reader(name).read(text).signals.items():
        if isinstance(found, Found):
            gone = set(samples(text, found.alias))
            rest = b"".join(line + b"\n" for line in text.splitlines() if line not in gone)
            now = reader(name).read(rest).signals[signal]
            assert now == MISSING or (isinstance(now, Found) and now.alias != found.alias)


@pytest.mark.parametrize("wrong", [b"NaN", b"+Inf", b"-Inf", b"-1"])
@pytest.mark.parametrize(("name", "saved"), EVERY)
def test_what_is_no_number_is_not_believed(name: str, saved: str, wrong: bytes) -> None:
    text = page(saved)
    for signal, found in reader(name).read(text).signals.items():
        if isinstance(found, Found):
            line = samples(text, found.alias)[0]
            spoilt = text.replace(line, line.rpartition(b" ")[0] + b" " + wrong)
            assert reader(name).read(spoilt).signals[signal] == NoData("not_finite")


@pytest.mark.parametrize("name", PAGES)
@given(share=st.floats(0, 1, exclude_max=True))
def test_of_a_page_cut_anywhere_no_last_number_is_believed(name: str, share: float) -> None:
    whole = page(PAGES[name][0])
    known = reader(name).read(whole).signals
    cut = whole[: int(len(whole) * share)]
    for signal, found in reader(name).read(cut).signals.items():
        if isinstance(found, Found):
            before = known[signal]
            assert isinstance(before, Found)
            assert found.parts.items() <= before.parts.items()


@pytest.mark.parametrize("name", PAGES)
@given(text=st.binary(max_size=400))
def test_anything_else_is_no_page(name: str, text: bytes) -> None:
    found = reader(name).read(page(PAGES[name][0])).signals["engine_running"]
    assert isinstance(found, Found)
    first = samples(page(PAGES[name][0]), found.alias)[0]
    for wrong in (text, text + b"\n", first[:20] + text + b"\n"):
        for told in reader(name).read(wrong).signals.values():
            assert isinstance(told, Found | NoData)


@pytest.mark.parametrize("name", PAGES)
def test_no_page_is_nothing_known(name: str) -> None:
    for nothing in (b"", b"\n", b"# EOF\n", b"<html>\n", b"\xff\n", b"x" * (5 * 1024 * 1024)):
        assert set(reader(name).read(nothing).signals.values()) == {MISSING}


@pytest.mark.parametrize(("name", "saved"), EVERY)
def test_the_mark_changes_with_whatever_the_engine_says(name: str, saved: str) -> None:
    text = page(saved)
    mark = reader(name).read(text).mark
    assert reader(name).read(b"# a comment\nprocess_cpu_seconds_total 1\n" + text).mark == mark
    found = reader(name).read(text).signals["engine_running"]
    assert isinstance(found, Found)
    line = samples(text, found.alias)[0]
    assert reader(name).read(text.replace(line, line + b"5")).mark != mark
