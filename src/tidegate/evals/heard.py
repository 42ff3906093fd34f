"""What a judge of two answers was heard to say: whether what was shown first is held better."""

from typing import Final

import msgspec
from msgspec import Struct

from tidegate.core.grading import Ask


class _Better(Struct):
    better: str


_better: Final = msgspec.json.Decoder(_Better).decode


class Heard:
    """An Ask that notes it: `first` has one entry for each verdict that is no tie. Of a comparison
    that came to nothing it holds what was heard before, which says nothing of the judge's places.
    """

    def __init__(self, judge: Ask) -> None:
        self._judge = judge
        self.first: list[bool] = []

    async def __call__(
        self, turns: tuple[tuple[str, str], ...], json_schema: str | None
    ) -> tuple[str | None, str | None]:
        text, why = await self._judge(turns, json_schema)
        if text is not None:
            try:
                said = _better(text.encode(errors="replace")).better
            except (msgspec.DecodeError, RecursionError):
                said = ""
            if said in ("A", "B"):
                self.first.append(said == "A")
        return text, why
