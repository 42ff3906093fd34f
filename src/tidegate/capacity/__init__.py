"""What an engine can do: shapes, step times, and the one model of continuous batching."""
