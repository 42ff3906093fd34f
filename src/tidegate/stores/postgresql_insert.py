"""PostgreSQL's INSERT that knows ON CONFLICT. Loaded where such a database is in use: SQLAlchemy
reads every driver's dialect with it, which is a tenth of control's start."""

from sqlalchemy.dialects.postgresql import insert

plug = insert
