"""Alignments to variants: kernels/ computes, the drivers move data."""
