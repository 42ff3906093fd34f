"""One file a schema revision. Revisions only add: old and new programs share a database."""
