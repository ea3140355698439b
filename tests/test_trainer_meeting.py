"""Several processes meet before JAX is asked, or each ends in one sentence."""

import socket
import threading
import time

import pytest
from training_runs import free_port

from experiments.trainer import meeting
from experiments.trainer.meeting import join, meet
from linbyol.checks import InputError


def test_all_go_when_all_have_come():
    """Whoever comes first waits; a stranger at the door does no harm."""
    port, went = free_port(), []

    def one(process, seconds):
        time.sleep(seconds)
        meet("localhost", port, 3, process)
        went.append((process, time.monotonic()))

    threads = [threading.Thread(target=one, args=pair) for pair in ((2, 0), (0, 0.1), (1, 0.4))]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    time.sleep(0.2)
    with socket.create_connection(("localhost", port), timeout=5) as stranger:
        stranger.sendall(b"GET / HTTP/1.1\r\n\r\n")
    for thread in threads:
        thread.join(20)
    assert sorted(process for process, _ in went) == [0, 1, 2]
    assert min(moment for _, moment in went) > began + 0.4


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("nohost", 2, 0), "Argument `coordinator` must be HOST:PORT, but is 'nohost'."),
        ((":1234", 2, 0), "Argument `coordinator` must be HOST:PORT, but is ':1234'."),
        (("localhost:65536", 2, 0), "Argument `coordinator` must be HOST:PORT, but is 'localhost:65536'."),
        (("localhost:1234", 0, 0), "Argument `processes` must be at least 1, but is 0."),
        (("localhost:1234", 2, 5), "Argument `process` must be from 0 to 1, but is 5."),
        (("localhost:1234", 2, -1), "Argument `process` must be from 0 to 1, but is -1."),
        (("no host:1234", 2, 1), "Argument `coordinator` names a host that is not known, 'no host' ("),
        (("localhost:1234", None, 1), "Arguments `coordinator`, `processes` and `process` must be given together"),
    ],
)
def test_arguments_that_cannot_be(arguments, sentence):
    with pytest.raises(InputError) as refused:
        join(*arguments)
    assert str(refused.value).startswith(sentence)


def test_who_waits_in_vain_says_so(monkeypatch):
    monkeypatch.setattr(meeting, "SECONDS", 0.3)
    port = free_port()
    with pytest.raises(InputError, match=rf"Process 1 of 2 did not come to port {port} within 0\.3 s\."):
        meet("localhost", port, 2, 0)
    with pytest.raises(InputError, match=rf"Process 0 did not answer at localhost:{port} within 0\.3 s\."):
        meet("localhost", port, 2, 1)
    with socket.create_server(("", port)), pytest.raises(InputError, match=f"Port {port} of `coordinator` cannot be"):
        meet("localhost", port, 2, 0)
