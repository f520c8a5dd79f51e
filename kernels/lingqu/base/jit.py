"""Compile kernels: nopython, without the GIL, cached under a digest of all sources."""

from lingqu.base.cache_folder import cache_folders


def kernel(function=None, **options):
    """Decorate a kernel: `@kernel`, or `@kernel(inline="always")` and other Numba options.

    fastmath is refused: results must not depend on the CPU.
    """
    if function is None:
        return lambda decorated: kernel(decorated, **options)
    if options.get("fastmath"):
        raise ValueError(f"{function.__name__}: fastmath is not allowed in kernels")
    import numba

    from lingqu.base.inner import NO_ENTRY, spare_entries
    from lingqu.base.kernel_cache import KernelCache

    options |= {"nogil": True, "error_model": "numpy", "no_cfunc_wrapper": True, NO_ENTRY: False}
    dispatcher = numba.njit(**options)(function)
    if dispatcher is function:  # NUMBA_DISABLE_JIT
        return function
    spare_entries(dispatcher)
    dispatcher._cache = KernelCache(function, dispatcher._compiler.targetoptions, cache_folders)
    return dispatcher


def leaf(function):
    """Decorate a kernel that kernels call often and that allocates nothing, nor returns an array.

    Its arguments are not counted: that would cost a few atomic operations an array and call, which
    is more than many a small function does.
    """
    return kernel(function, _nrt=False)
