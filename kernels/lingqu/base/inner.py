"""Kernels that only other kernels call, compiled without an entry from Python.

An entry takes a fifth of the time to compile. Numba makes one for every function and every kind of
arguments, as it cannot know who will call; it is made here when Python does call.
"""

from numba.core.compiler_lock import global_compiler_lock
from numba.core.sigutils import normalize_signature

NO_ENTRY = "no_cpython_wrapper"
"""Numba's option; true of a dispatcher while a calling kernel is compiled."""


def spare_entries(dispatcher) -> None:
    """Let a dispatcher make entries only where Python calls it."""
    options = dispatcher._compiler.targetoptions
    for_kernels, add, build = (
        dispatcher.get_call_template,
        dispatcher.add_overload,
        dispatcher.compile,
    )
    inner = set()

    def get_call_template(args, kws):
        with global_compiler_lock:
            options[NO_ENTRY] = True
            try:
                return for_kernels(args, kws)
            finally:
                options[NO_ENTRY] = False

    def add_overload(result):
        if options[NO_ENTRY]:  # known to kernels only: there is nothing that Python could call
            args = tuple(result.signature.args)
            dispatcher.overloads[args] = result
            inner.add(args)
        else:
            add(result)

    def build_again(sig):
        with global_compiler_lock:
            args, _ = normalize_signature(sig)
            if args in inner and not options[NO_ENTRY]:
                inner.remove(args)
                del dispatcher.overloads[args]
            try:
                return build(sig)
            finally:
                dispatcher._cache.end_turn()

    dispatcher.get_call_template = get_call_template
    dispatcher.add_overload = add_overload
    dispatcher.compile = build_again
