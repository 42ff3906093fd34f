"""Data URLs, by which callers send what other wires want as base64 and its media type."""

from tidegate.core.outcome import Refusal


def data_of(url: str, param: str) -> tuple[str | None, str | None]:
    """(media type, base64) of a data URL; of any other address nothing. Refusal of `param`."""
    if not url.startswith("data:"):
        return None, None
    head, comma, data = url[5:].partition(",")
    if not comma or not head.endswith(";base64"):
        raise Refusal("invalid_parameter", f"`{param}`: a data URL must be base64", param=param)
    return head.partition(";")[0], data
