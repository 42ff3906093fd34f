"""Ledger, keys and feed in one SQL database. `key_reader` alone is for gateways."""
