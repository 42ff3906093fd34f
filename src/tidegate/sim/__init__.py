"""The engine that needs no GPU: OpenAI endpoints, simulated batching, a script of faults."""
