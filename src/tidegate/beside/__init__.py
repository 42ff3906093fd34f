"""Servers beside the gateways, each in a process of its own: what needs libraries that gateways do
not carry."""
