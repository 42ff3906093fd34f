"""Judges of live answers: calibrations, what they said of anchors, weekly looks, alarms."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The tables of `stores.schema_judges`."""
    op.create_table(
        "judges",
        *_keys("judge"),
        *_some(sa.Text, "route", "name", "model"),
        *_some(sa.Integer, "generation"),
        *_some(sa.Float, "calibrated_at_s", "expires_at_s"),
        *_some(sa.Text, "author"),
        *_some(sa.Boolean, "is_calibrated"),
        *_some(sa.Integer, "anchors"),
        *_some(sa.Text, "anchors_digest"),
        *_some(sa.Integer, "errors", "known", "agreed"),
        *_maybe(sa.Float, "kappa", "kappa_low", "kappa_high"),
        *_some(sa.Text, "figures", "bridge"),
        *_maybe(sa.Float, "reference", "sum_limit"),
        *_some(sa.Float, "sum_now"),
        *_maybe(sa.Integer, "looked_week"),
        *_maybe(sa.Float, "looked_at_s", "alarm_since_s"),
        *_some(sa.Text, "alarm"),
    )
    op.create_table(
        "judge_scores",
        *_keys("judge", "occasion", "anchor"),
        sa.Column("turn", sa.Integer, primary_key=True),
        *_maybe(sa.Boolean, "passes", "agrees"),
        *_maybe(sa.Float, "score"),
        *_some(sa.Float, "at_s"),
    )
    op.create_index("ix_judge_scores_at", "judge_scores", ["at_s"])
    op.create_table(
        "judge_looks",
        *_keys("judge"),
        *(sa.Column(name, sa.Integer, primary_key=True) for name in ("generation", "week")),
        *_some(sa.Float, "at_s"),
        *_some(sa.Integer, "asked", "known", "agreed"),
        *_some(sa.Float, "sum_now"),
        *_some(sa.Boolean, "is_over"),
    )
    op.create_table(
        "judge_seats",
        *_keys("seat"),
        *_some(sa.Text, "route", "name", "used_by", "judge", "model", "earlier"),
        *_maybe(sa.Float, "changed_at_s"),
        *_some(sa.Float, "at_s"),
        *_maybe(sa.BigInteger, "to_ask"),
        *_some(sa.Text, "problem"),
    )


def _keys(*names: str) -> "list[sa.Column[str]]":
    return [sa.Column(name, sa.Text, primary_key=True) for name in names]


def _some(kind: type[Any], *names: str) -> "list[sa.Column[Any]]":
    return [sa.Column(name, kind, nullable=False) for name in names]


def _maybe(kind: type[Any], *names: str) -> "list[sa.Column[Any]]":
    return [sa.Column(name, kind) for name in names]
