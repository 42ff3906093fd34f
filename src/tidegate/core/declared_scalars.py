"""Kinds of value that several sections of the plan file share, with their bounds.

`extra["read"]` names the reading of a scalar that is more than its JSON type:

- `size` (bytes), `duration` (seconds), `usd` (exact decimal dollars), `secret` (a reference),
  `path` (counted from the plan file), `name` (of a provider or target), `route`, `header`, `url`,
  `listen`, `host`, `origin`, `share` (of a whole, `%` or not), `prose` (text of many lines)
- `json` (a mapping, or JSON as text) and `value` (anything), both kept as JSON text
- of objectives: `percentage` (with decimals), `moment` (wall-clock seconds, of a time and its zone)
- of limits and budgets: `quantity` (a whole number with k or M), `money` (dollars with or without
  `$`), `percent`, `rate_period` (seconds), `budget_period` (a Period), `time_zone` (IANA),
  `dimension` and `scope` (a dimension, or `global`)
"""

from decimal import Decimal
from typing import Annotated

from msgspec import Meta

MAX_SECONDS = 86_400.0
MAX_USD = Decimal(1_000_000)
_MAX_BYTES = 1 << 40
_MAX_QUANTITY = 10**15
_MAX_PROMPT_CHARS = 256 * 1024

Name = Annotated[str, Meta(extra={"read": "name"}, max_length=64)]
RouteName = Annotated[str, Meta(extra={"read": "route"}, max_length=200)]
Text = Annotated[str, Meta(min_length=1, max_length=1024)]
Prompt = Annotated[str, Meta(min_length=1, max_length=_MAX_PROMPT_CHARS, extra={"read": "prose"})]
BaseUrl = Annotated[str, Meta(extra={"read": "url"})]
Seconds = Annotated[float, Meta(gt=0, le=MAX_SECONDS, extra={"read": "duration"})]
Size = Annotated[int, Meta(ge=1024, le=_MAX_BYTES, extra={"read": "size"})]
Usd = Annotated[Decimal, Meta(extra={"read": "usd"})]
Rate = Annotated[float, Meta(gt=0, le=1e12)]
Quantity = Annotated[int, Meta(ge=1, le=_MAX_QUANTITY, extra={"read": "quantity"})]
Dimension = Annotated[str, Meta(extra={"read": "dimension"}, max_length=80)]
Scope = Annotated[str, Meta(extra={"read": "scope"}, max_length=80)]
