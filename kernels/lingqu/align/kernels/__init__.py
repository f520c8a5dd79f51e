"""The aligner's arithmetic, on arrays only."""
