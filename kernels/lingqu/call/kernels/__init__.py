"""The caller's arithmetic, on arrays only."""
