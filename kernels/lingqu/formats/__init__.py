"""File formats in and out, by chunk."""
