"""Lingqu: a sequence analysis workflow engine with kernels of its own."""

import os

__version__ = "0.1.0"

# Chunks are spread over the cores already: OpenBLAS in each process would start a thread for each.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
