import numpy as np
import pytest
from Bio.Seq import Seq
from hypothesis import given
from hypothesis import strategies as st

from lingqu.sequence.codes import decode, encode, reverse_complement

IUPAC = "ACGTURYSWKMBDHVN"


@given(st.text("ACGTN"))
def test_decode_undoes_encode(text):
    assert decode(encode(text)) == text


@given(st.text("ACGTN"))
def test_reverse_complement_is_biopythons(text):
    assert decode(reverse_complement(encode(text))) == str(Seq(text).reverse_complement())


@given(st.text(IUPAC + IUPAC.lower()))
def test_case_is_ignored_and_ambiguity_is_n(text):
    wanted = "".join(c if c in "ACGT" else "T" if c == "U" else "N" for c in text.upper())
    assert decode(encode(text)) == wanted
    assert encode(text.encode()).dtype == np.uint8


@pytest.mark.parametrize("letter", ["E", "*", "-", " ", "\n", "1", "\0"])
def test_other_characters_are_refused_with_their_place(letter):
    with pytest.raises(ValueError, match="at 3 is no base"):
        encode("AC" + letter + "T")
