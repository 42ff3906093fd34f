"""Who calls, told otherwise than by a key: one kind of proof a file; pure."""
