"""The queries of spend_reader, whole: which index leads is decided here and by no planner.

A name that is bound to NULL asks for nothing.
"""

from collections.abc import Mapping
from typing import Final

POSITIONS: Final = 'SELECT gateway, segment, "offset" FROM journal_positions'
RECORDED: Final = "SELECT 1 FROM receipts WHERE id = ?"

_ROLLUP_KEY: Final = """SELECT quarter, sum(cost_nanousd + most_nanousd) FROM spend
WHERE key_id = :key_id AND quarter >= :quarter
  AND (:team IS NULL OR team = :team)
  AND (:customer IS NULL OR customer = :customer)
  AND (:route IS NULL OR route = :route)
  AND (:environment IS NULL OR environment = :environment)
  AND (:target IS NULL OR target = :target)
  AND (:model_wanted IS NULL OR model_wanted = :model_wanted)
  AND (:provider IS NULL OR provider = :provider)
GROUP BY quarter
"""

_ROLLUP_TEAM: Final = """SELECT quarter, sum(cost_nanousd + most_nanousd) FROM spend
WHERE team = :team AND quarter >= :quarter
  AND (:key_id IS NULL OR key_id = :key_id)
  AND (:customer IS NULL OR customer = :customer)
  AND (:route IS NULL OR route = :route)
  AND (:environment IS NULL OR environment = :environment)
  AND (:target IS NULL OR target = :target)
  AND (:model_wanted IS NULL OR model_wanted = :model_wanted)
  AND (:provider IS NULL OR provider = :provider)
GROUP BY quarter
"""

_ROLLUP_CUSTOMER: Final = """SELECT quarter, sum(cost_nanousd + most_nanousd) FROM spend
WHERE customer = :customer AND quarter >= :quarter
  AND (:key_id IS NULL OR key_id = :key_id)
  AND (:team IS NULL OR team = :team)
  AND (:route IS NULL OR route = :route)
  AND (:environment IS NULL OR environment = :environment)
  AND (:target IS NULL OR target = :target)
  AND (:model_wanted IS NULL OR model_wanted = :model_wanted)
  AND (:provider IS NULL OR provider = :provider)
GROUP BY quarter
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

_RECEIPTS_END_USER: Final = """SELECT CAST(started_at_s AS INTEGER),
  sum(coalesce(cost_nanousd, most_nanousd, 0)) FROM receipts
WHERE end_user = :end_user AND id >= :first_id AND started_at_s >= :since_s
  AND (:key_id IS NULL OR key_id = :key_id)
  AND (:team IS NULL OR team = :team)
  AND (:customer IS NULL OR customer = :customer)
  AND (:route IS NULL OR route = :route)
  AND (:environment IS NULL OR environment = :environment)
  AND (:target IS NULL OR target = :target)
  AND (:model_wanted IS NULL OR model_wanted = :model_wanted)
  AND (:provider IS NULL OR provider = :provider)
  AND (:session_id IS NULL OR session_id = :session_id)
  AND (:trace_id IS NULL OR trace_id = :trace_id)
GROUP BY 1
"""

_RECEIPTS_SESSION: Final = """SELECT CAST(started_at_s AS INTEGER),
  sum(coalesce(cost_nanousd, most_nanousd, 0)) FROM receipts
WHERE session_id = :session_id AND id >= :first_id AND started_at_s >= :since_s
  AND (:key_id IS NULL OR key_id = :key_id)
  AND (:team IS NULL OR team = :team)
  AND (:customer IS NULL OR customer = :customer)
  AND (:route IS NULL OR route = :route)
  AND (:environment IS NULL OR environment = :environment)
  AND (:target IS NULL OR target = :target)
  AND (:model_wanted IS NULL OR model_wanted = :model_wanted)
  AND (:provider IS NULL OR provider = :provider)
  AND (:end_user IS NULL OR end_user = :end_user)
  AND (:trace_id IS NULL OR trace_id = :trace_id)
GROUP BY 1
"""

_RECEIPTS_TRACE: Final = """SELECT CAST(started_at_s AS INTEGER),
  sum(coalesce(cost_nanousd, most_nanousd, 0)) FROM receipts
WHERE trace_id = :trace_id AND id >= :first_id AND started_at_s >= :since_s
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
GROUP BY 1
"""

_RECEIPTS: Final = """SELECT CAST(started_at_s AS INTEGER),
  sum(coalesce(cost_nanousd, most_nanousd, 0)) FROM receipts
WHERE id >= :first_id AND started_at_s >= :since_s
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

DETAILS: Final = """SELECT started_at_s, coalesce(cost_nanousd, most_nanousd), detail FROM receipts
WHERE id >= :first_id AND started_at_s >= :since_s
  AND coalesce(cost_nanousd, most_nanousd, 0) > 0 AND instr(detail, :text) > 0
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
"""

# Their columns are in the order of spending.ROLLED_UP, and of IN_RECEIPTS.
EVERY_QUARTER: Final = """SELECT cost_nanousd + most_nanousd, quarter, key_id, team, customer,
  route, environment, target, model_wanted, provider
FROM spend WHERE quarter >= ? AND cost_nanousd + most_nanousd > 0
"""
EVERY_RECEIPT: Final = """SELECT coalesce(cost_nanousd, most_nanousd), started_at_s, detail, key_id,
  team, customer, route, environment, target, model_wanted, provider, end_user, session_id, trace_id
FROM receipts
WHERE id >= ? AND started_at_s >= ? AND coalesce(cost_nanousd, most_nanousd, 0) > 0
"""

# By the dimension that a question names; None for any other question.
ROLLUP_BY: Final[Mapping[str | None, str]] = {
    "key": _ROLLUP_KEY,
    "customer": _ROLLUP_CUSTOMER,
    "team": _ROLLUP_TEAM,
    None: _ROLLUP,
}
RECEIPTS_BY: Final[Mapping[str | None, str]] = {
    "trace": _RECEIPTS_TRACE,
    "session": _RECEIPTS_SESSION,
    "end_user": _RECEIPTS_END_USER,
    None: _RECEIPTS,
}
