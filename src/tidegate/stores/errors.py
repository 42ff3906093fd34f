"""What a store can refuse with. Messages are for the operator and say what to do."""


class StoreError(Exception):
    """The database cannot be used as asked."""


class StoreUnavailable(StoreError):
    """Missing, locked, full or unreadable for now: trying again later may work."""


class SessionsNotKept(StoreUnavailable):
    """A pooler before PostgreSQL lends one session to several connections."""


class StoreContended(StoreUnavailable):
    """Another transaction was in the way: the same once more may work at once."""


class StoreCorrupt(StoreError):
    """The file is damaged. Nothing is read or written until it is restored from a backup."""


class RowRefused(StoreError):
    """The database works and does not take these values."""


class SchemaTooNew(StoreError):
    """The database was written by a newer Tidegate."""


class DriverMissing(StoreError):
    """A database is named whose driver is not installed."""


class WriterTaken(StoreError):
    """Another process already writes this database."""


class AskedTooMuch(StoreError):
    """An answer would be larger than any may be; the caller's to narrow."""
