"""YAML to declared plan, with positions: reading, interpolation, prices, schema."""
