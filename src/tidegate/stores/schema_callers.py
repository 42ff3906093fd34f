"""The table of callers without a key that are let in no more."""

from sqlalchemy import Column, Float, Table, Text

from tidegate.stores.schema import metadata

# `id` is of core.caller: of a caller, an issuer or one token. `before_s` NULL: of whenever it is.
# What was meant stands beside it in words, for no id can be read back.
caller_revocations = Table(
    "caller_revocations",
    metadata,
    Column("id", Text, primary_key=True),
    Column("before_s", Float),
    Column("at_s", Float, nullable=False),
    Column("author", Text, nullable=False),
    Column("issuer", Text, nullable=False),
    Column("subject", Text),
    Column("token_id", Text),
)
