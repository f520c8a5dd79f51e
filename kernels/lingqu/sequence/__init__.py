"""Sequences as codes: tables, reverse complement, k-mers, hashing."""
