"""Spools: what gateways hand to the recorder beside receipts. Each has a folder for each gateway.

A segment is written under a name of its own and gets its last one when it is finished; the recorder
takes finished ones whole, and deletes them. It begins with four bytes, then come frames as a
journal's (`core.frames`). What is in a segment is stored once by its own id, however often it is
read.
"""

from typing import Final, Literal

SpoolName = Literal["captured", "feedback"]
MAGIC: Final = b"TGS1"
FINISHED: Final = ".spool"
GROWING: Final = ".part"
