import threading

import numpy as np
import pytest

from lingqu.base.jit import kernel


@pytest.fixture
def pair():
    """A kernel, and one that calls it; a fresh pair that nobody has called."""

    @kernel
    def triple(values, out):
        for i in range(values.size):
            out[i] = 3 * values[i]
        return out[0]

    @kernel
    def caller(values, out):
        return triple(values, out) + 1

    return triple, caller


def arrays():
    return np.arange(1, 6), np.zeros(5, np.int64)


def has_entry(dispatcher):
    (result,) = dispatcher.overloads.values()
    return bool(result.library.get_pointer_to_function(result.fndesc.llvm_cpython_wrapper_name))


def test_only_what_python_calls_has_an_entry(pair):
    triple, caller = pair
    assert caller(*arrays()) == 4
    assert (has_entry(triple), has_entry(caller)) == (False, True)
    assert triple(*arrays()) == 3
    assert has_entry(triple)


def test_an_inner_kernel_can_still_be_called(pair):
    triple, caller = pair
    values, out = arrays()
    assert caller(values, out) == 4
    assert triple(values, out) == 3
    assert out.tolist() == [3, 6, 9, 12, 15]
    assert triple(values.astype(np.int32), out) == 3
    assert caller(values.astype(np.int32), out) == 4
    assert [triple(values, out), caller(values, out)] == [3, 4]


def test_a_kernel_with_an_entry_is_called_by_kernels_too(pair):
    triple, caller = pair
    assert triple(*arrays()) == 3
    assert caller(*arrays()) == 4
    assert len(triple.overloads) == 1


def test_threads_may_call_both_at_once(pair):
    found = []
    threads = [
        threading.Thread(target=lambda f=f: found.append(f(*arrays()))) for f in (*pair, *pair)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [3, 3, 4, 4]
