"""The nouns that every other room speaks. No I/O; only `clock` reads time."""
