"""Everything that the control API answers."""

from tidegate.control import (
    api_budgets,
    api_changes,
    api_keys,
    api_notices,
    api_plan,
    api_public,
    api_raises,
    api_receipts,
    api_signals,
    api_targets,
    litellm_budgets,
    litellm_customers,
    litellm_keys,
    litellm_spend,
    litellm_teams,
)
from tidegate.control.routes import Row

ROWS: tuple[Row, ...] = (
    *api_public.ROWS,
    *api_keys.ROWS,
    *api_receipts.ROWS,
    *api_plan.ROWS,
    *api_targets.ROWS,
    *api_budgets.ROWS,
    *api_raises.ROWS,
    *api_notices.ROWS,
    *api_changes.ROWS,
    *api_signals.ROWS,
    *litellm_keys.ROWS,
    *litellm_teams.ROWS,
    *litellm_budgets.ROWS,
    *litellm_customers.ROWS,
    *litellm_spend.ROWS,
)
