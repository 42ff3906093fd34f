"""A label's value in Prometheus' text form."""


def label(text: str) -> str:
    """`text` as it stands between quotation marks."""
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
