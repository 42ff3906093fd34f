"""Prometheus' text form."""

from collections.abc import Mapping, Sequence

# By name: its type, and what it says.
Heads = Mapping[str, tuple[str, str]]


def label(text: str) -> str:
    """`text` as it stands between quotation marks."""
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def exposed(heads: Heads, series: Mapping[str, Sequence[str]]) -> bytes:
    """The series by their names, each as labels and value such as `{route="chat"} 1`; nothing of a
    name that has none."""
    lines: list[str] = []
    for name, (kind, said) in heads.items():
        if series[name]:
            lines += [f"# HELP {name} {said}", f"# TYPE {name} {kind}"]
            lines += [f"{name}{one}" for one in series[name]]
    return "".join(f"{line}\n" for line in lines).encode()
