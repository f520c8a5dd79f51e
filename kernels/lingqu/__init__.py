"""Lingqu: a sequence analysis workflow engine with kernels of its own."""

__version__ = "0.1.0"
