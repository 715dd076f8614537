"""Nothing of a cluster starts where an interface other than the loopback exists."""

import socket

import pytest

from tests.distribute import namespace, server

OTHERS = [[(1, "lo"), (2, "eth0")], [(2, "eth0")], []]


@pytest.mark.parametrize("interfaces", OTHERS, ids=["beside lo", "another", "none"])
@pytest.mark.parametrize("start", [namespace.enter, server.ready], ids=["chief", "server"])
def test_it_refuses_to_start(monkeypatch, start, interfaces):
    monkeypatch.setattr(socket, "if_nameindex", lambda: interfaces)
    with pytest.raises(RuntimeError, match="where `lo` is the one interface"):
        start()
