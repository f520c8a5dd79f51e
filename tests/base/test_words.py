"""Words against Python's whole numbers."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lingqu.base.jit import kernel
from lingqu.base.words import leading_zeros, load_word, store_word


@kernel
def _move(data, source, target):
    word = load_word(data, np.uint64(source))
    store_word(data, np.uint64(target), word)
    return word, leading_zeros(word)


@given(st.binary(min_size=8, max_size=40), st.data())
def test_words(content, draw):
    source = draw.draw(st.integers(0, len(content) - 8))
    target = draw.draw(st.integers(0, len(content) - 8))
    data = np.frombuffer(content, np.uint8).copy()
    word, leading = _move(data, source, target)
    value = int.from_bytes(content[source : source + 8], "little")
    assert word == value
    assert leading == 64 - value.bit_length()
    moved = content[:target] + content[source : source + 8] + content[target + 8 :]
    assert data.tobytes() == moved
