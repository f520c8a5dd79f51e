"""Memory that is handed back: alike np.empty, and never given twice at once."""

import threading

import numpy as np
import pytest

from lingqu.base.scratch import empty, scratch


def arrays():
    """Arrays of several shapes and types, each filled with its own number."""
    made = [empty(size, kind) for size in (0, 1, 1000, (3, 70)) for kind in (np.uint8, np.int64)]
    for number, array in enumerate(made):
        array[...] = number
    return made


def whole(made):
    """Whether nobody has written into another's array."""
    return all((array == number).all() for number, array in enumerate(made))


def test_outside_it_is_np_empty():
    assert whole(arrays())
    assert empty(5, np.int32).base is None


def test_arrays_are_apart_and_their_memory_comes_again():
    places = []
    for _ in range(3):
        with scratch():
            made = arrays()
            assert whole(made)
            assert [a.dtype for a in made[:2]] == [np.uint8, np.int64]
            assert made[-1].shape == (3, 70)
            places.append(made[4].ctypes.data)
    assert places[1] == places[2]


def test_a_step_within_a_step():
    with scratch():
        outer = arrays()
        with scratch():
            assert whole(arrays())
        assert whole(outer)
        again = arrays()
        assert whole(outer)
        assert whole(again)


def test_threads_do_not_share():
    found = []

    def work():
        with scratch():
            made = arrays()
            gate.wait()
            found.append(whole(made))

    gate = threading.Barrier(2)
    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert found == [True, True]


def test_a_failure_hands_back_too():
    with pytest.raises(ValueError, match="mine"), scratch():
        empty(10)
        raise ValueError("mine")
    assert empty(5).base is None
