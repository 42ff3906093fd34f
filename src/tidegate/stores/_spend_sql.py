"""The queries of spend_reader, whole: which index leads is decided here and by no planner.

A name that is bound to NULL asks for nothing. What the gateway's own probes cost is nobody's
spending: they alone have that purpose and no key.
"""

from collections.abc import Mapping
from typing import Final

POSITIONS: Final = 'SELECT gateway, segment, "offset" FROM journal_positions'
RECORDED: Final = """SELECT id FROM receipts WHERE id IN
  (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
RECORDED_AT_ONCE: Final = 20
DETAIL: Final = "SELECT detail FROM receipts WHERE id = ?"
HOLDS: Final = """SELECT detail FROM receipts WHERE purpose = 'batch_hold' AND id >= ?
ORDER BY id DESC LIMIT ?"""
HOLDS_OF_TEAM: Final = """SELECT detail FROM receipts WHERE purpose = 'batch_hold' AND id >= ?
  AND team = ? ORDER BY id DESC LIMIT ?"""
OPENING: Final = """SELECT at_s, nanousd FROM openings
WHERE dimensions = ? AND scope = ? AND at_s >= ?
"""
EVERY_OPENING: Final = """SELECT dimensions, scope, at_s, nanousd FROM openings
WHERE at_s >= ? AND nanousd > 0
"""

_ROLLUP: Final = """SELECT quarter, sum(cost_nanousd + most_nanousd) FROM spend
WHERE quarter >= :quarter
  AND (:key_id IS NULL OR key_id = :key_id)
  AND (:team IS NULL OR team = :team)
  AND (:customer IS NULL OR customer = :customer)
  AND (:route IS NULL OR route = :route)
  AND (:environment IS NULL OR environment = :environment)
  AND (:target IS NULL OR target = :target)
  AND (:model_wanted IS NULL OR model_wanted = :model_wanted)
  AND (:provider IS NULL OR provider = :provider)
GROUP BY quarter
"""

_RECEIPTS: Final = """SELECT CAST(started_at_s AS INTEGER),
  sum(coalesce(cost_nanousd, most_nanousd, 0)) FROM receipts
WHERE id >= :first_id AND started_at_s >= :since_s
  AND NOT (key_id IS NULL AND purpose = 'probe')
  AND (:without IS NULL OR instr(detail, :without) = 0)
  AND (:key_id IS NULL OR key_id = :key_id)
  AND (:team IS NULL OR team = :team)
  AND (:customer IS NULL OR customer = :customer)
  AND (:route IS NULL OR route = :route)
  AND (:environment IS NULL OR environment = :environment)
  AND (:target IS NULL OR target = :target)
  AND (:model_wanted IS NULL OR model_wanted = :model_wanted)
  AND (:provider IS NULL OR provider = :provider)
  AND (:end_user IS NULL OR end_user = :end_user)
  AND (:session_id IS NULL OR session_id = :session_id)
  AND (:trace_id IS NULL OR trace_id = :trace_id)
GROUP BY 1
"""

# Not by what served: of a receipt with costs elsewhere its own bytes tell that.
_DETAILS: Final = """SELECT started_at_s, coalesce(cost_nanousd, most_nanousd), detail,
  target, model_wanted, provider FROM receipts
WHERE id >= :first_id AND started_at_s >= :since_s
  AND coalesce(cost_nanousd, most_nanousd, 0) <> 0 AND instr(detail, :text) > 0
  AND NOT (key_id IS NULL AND purpose = 'probe')
  AND (:key_id IS NULL OR key_id = :key_id)
  AND (:team IS NULL OR team = :team)
  AND (:customer IS NULL OR customer = :customer)
  AND (:route IS NULL OR route = :route)
  AND (:environment IS NULL OR environment = :environment)
  AND (:end_user IS NULL OR end_user = :end_user)
  AND (:session_id IS NULL OR session_id = :session_id)
  AND (:trace_id IS NULL OR trace_id = :trace_id)
"""

# Their columns are in the order of spending.ROLLED_UP, and of IN_RECEIPTS.
EVERY_QUARTER: Final = """SELECT cost_nanousd + most_nanousd, quarter, key_id, team, customer,
  route, environment, target, model_wanted, provider
FROM spend WHERE quarter >= ? AND cost_nanousd + most_nanousd <> 0
"""
EVERY_RECEIPT: Final = """SELECT coalesce(cost_nanousd, most_nanousd), started_at_s, detail, key_id,
  team, customer, route, environment, target, model_wanted, provider, end_user, session_id, trace_id
FROM receipts
WHERE id >= ? AND started_at_s >= ? AND coalesce(cost_nanousd, most_nanousd, 0) <> 0
  AND NOT (key_id IS NULL AND purpose = 'probe')
"""


def _led_by(statement: str, columns: Mapping[str, str]) -> Mapping[str | None, str]:
    """The statement as each column's own index answers it, and as the one in time does."""
    led: dict[str | None, str] = {
        dimension: statement.replace("WHERE ", f"WHERE {column} = :{column} AND ")
        for dimension, column in columns.items()
    }
    return {**led, None: statement}


# By the first of these dimensions that a question names; None where it names none.
ROLLUP_BY: Final = _led_by(_ROLLUP, {"key": "key_id", "customer": "customer", "team": "team"})
_INDEXED: Final = {"trace": "trace_id", "session": "session_id", "end_user": "end_user"}
RECEIPTS_BY: Final = _led_by(_RECEIPTS, _INDEXED)
DETAILS_BY: Final = _led_by(_DETAILS, _INDEXED)
