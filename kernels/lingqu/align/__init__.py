"""Reads to sorted, duplicate-marked alignments: kernels/ computes, the drivers move data."""
