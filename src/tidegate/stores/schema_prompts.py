"""The tables of prompts. Times are wall-clock seconds."""

from sqlalchemy import BigInteger, Column, Float, Index, Integer, Table, Text

from tidegate.stores.schema import metadata

# SQLite numbers rows only by a column declared INTEGER.
_RowNumber = BigInteger().with_variant(Integer, "sqlite")

# What a version said when it was tagged first; it never says anything else again.
prompt_versions = Table(
    "prompt_versions",
    metadata,
    Column("prompt", Text, primary_key=True),
    Column("version", Text, primary_key=True),
    Column("digest", Text, nullable=False),
    Column("at_s", Float, nullable=False),
)

# Where `stable` of each prompt pointed, the last at the greatest `depth`: one that goes and comes
# back is no first one. What it went back from is not here any more.
prompt_stood = Table(
    "prompt_stood",
    metadata,
    Column("prompt", Text, primary_key=True),
    Column("depth", Integer, primary_key=True, autoincrement=False),
    Column("version", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("at_s", Float, nullable=False),
)

# Revisions of tags, in their order. `version` NULL takes the tag away, `base` is what `tags.yaml`
# said of it then.
tag_flips = Table(
    "tag_flips",
    metadata,
    Column("seq", _RowNumber, primary_key=True, autoincrement=False),
    Column("id", Text, nullable=False),
    Column("prompt", Text, nullable=False),
    Column("tag", Text, nullable=False),
    Column("version", Text),
    Column("base", Text),
    Column("author", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at_s", Float, nullable=False),
)
Index("ix_tag_flips_prompt", tag_flips.c.prompt, tag_flips.c.seq)

# What passed which suite at which model. `body` is the whole certificate as JSON, signed.
certificates = Table(
    "certificates",
    metadata,
    Column("id", Text, primary_key=True),
    Column("digest", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("expires_at_s", Float, nullable=False),
    Column("body", Text, nullable=False),
)
Index("ix_certificates_digest", certificates.c.digest, certificates.c.model)
