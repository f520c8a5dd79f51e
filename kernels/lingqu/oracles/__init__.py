"""Kernels put to the test: what each should compute, in plain Python, on inputs made from a seed.

This room stands above all others but the commands: no kernel and no driver imports it.
"""
