"""Lingqu's own aligner and caller, less sure of themselves."""
