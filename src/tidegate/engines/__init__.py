"""What one engine's metrics page says, one engine a file."""
