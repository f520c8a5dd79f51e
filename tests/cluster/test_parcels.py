"""Big items from driver to worker: by memory and over the network, with keys and without."""

from dataclasses import replace

import numpy as np
import pytest

from lingqu.cluster import parcels, security
from lingqu.cluster.parcels import LostError, Parcels, fetch


def from_elsewhere(ticket):
    """The ticket as a worker on another machine finds it."""
    return replace(ticket, memory=replace(ticket.memory, machine="another"))


@pytest.fixture(params=["plain", "tls"])
def owner(request, tmp_path):
    if request.param == "tls":
        pytest.importorskip("cryptography")
        security.make_credentials(tmp_path, "run")
    made = Parcels("127.0.0.1", str(tmp_path) if request.param == "tls" else "")
    yield made
    made.close()


def item(number: int) -> tuple:
    return number, {"a": np.arange(number, number + 50_000), "b": np.ones((3, 7), np.float32)}, None


@pytest.mark.parametrize("here", [True, False])
def test_items_come_as_they_were(owner, here):
    for number in range(20):
        ticket = owner.hand_in(item(number))
        assert isinstance(ticket, parcels.Ticket)
        got = fetch(ticket if here else from_elsewhere(ticket))
        assert got[0] == number
        for name, array in item(number)[1].items():
            assert np.array_equal(got[1][name], array)
            assert got[1][name].flags.writeable  # or kernels would be compiled once more
        owner.drop(ticket)
    assert owner.held == 0


def test_small_items_go_as_they_are(owner):
    for small in (7, "text", [np.arange(5)]):
        assert owner.hand_in(small) is small
        assert fetch(small) is small
        owner.drop(small)
    assert owner.held == 0


def test_who_is_late_does_not_see_another_item(owner):
    ticket = owner.hand_in(item(1))
    seen = fetch(ticket)[1]["a"]
    owner.drop(ticket)
    other = owner.hand_in(item(2))
    assert other.memory.handle == ticket.memory.handle
    assert np.array_equal(seen, item(1)[1]["a"])
    with pytest.raises(LostError):
        fetch(ticket)


def test_a_worker_without_the_keys_gets_nothing(owner, tmp_path):
    ticket = from_elsewhere(owner.hand_in(item(1)))
    if not ticket.keys:
        pytest.skip("plain")
    (tmp_path / "other").mkdir()
    security.make_credentials(tmp_path / "other", "other")
    with pytest.raises(LostError):
        fetch(replace(ticket, keys=str(tmp_path / "other")))
    with pytest.raises(LostError):
        fetch(replace(ticket, keys=""))


def test_a_driver_that_is_gone_is_told(owner):
    ticket = from_elsewhere(owner.hand_in(item(1)))
    fetch(ticket)
    owner.close()
    with pytest.raises(LostError, match=r"127\.0\.0\.1"):
        fetch(ticket)


def test_held_items_are_bounded(owner, monkeypatch):
    monkeypatch.setattr(parcels, "_MOST", 3)
    tickets = [owner.hand_in(item(number)) for number in range(4)]
    assert owner.full
    for ticket in tickets:
        owner.drop(ticket)
    assert not owner.full
