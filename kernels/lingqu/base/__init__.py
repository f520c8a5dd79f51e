"""The basement: errors, compilation, atomic files, progress. Knows no biology."""
