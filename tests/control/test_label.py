from prometheus_client.parser import text_string_to_metric_families

from tidegate.control.label import label


def test_whatever_a_name_holds_comes_back() -> None:
    for name in ('a"b', "a\\b", "a\nb", 'a\\"\\n', "Grüße"):
        [family] = text_string_to_metric_families(f'one{{name="{label(name)}"}} 1\n')
        assert family.samples[0].labels == {"name": name}
