"""What is written is read again by Prometheus' own reader."""

from prometheus_client.parser import text_string_to_metric_families

from tidegate.control.exposition import exposed, label


def test_whatever_a_name_holds_comes_back() -> None:
    for name in ('a"b', "a\\b", "a\nb", 'a\\"\\n', "Grüße"):
        [family] = text_string_to_metric_families(f'one{{name="{label(name)}"}} 1\n')
        assert family.samples[0].labels == {"name": name}


def test_series_stand_below_their_heads_and_a_head_without_series_is_left_out() -> None:
    heads = {
        "waves_total": ("counter", "Waves."),
        "level": ("gauge", "How high."),
        "ebb": ("gauge", "Since when."),
    }
    page = exposed(heads, {"waves_total": ['{at="a"} 1', '{at="b"} 2'], "level": [" 3"], "ebb": []})
    waves, level = text_string_to_metric_families(page.decode())
    assert (waves.type, waves.documentation) == ("counter", "Waves.")
    assert [(it.labels["at"], it.value) for it in waves.samples] == [("a", 1.0), ("b", 2.0)]
    assert (level.name, level.samples[0].value) == ("level", 3.0)
    assert exposed(heads, dict.fromkeys(heads, ())) == b""
