"""An interrupt at any moment: exit status, one line, nothing half-written, nobody left behind, within two seconds."""

import os
import re
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from processes import environment

BUSY = {
    "between instructions": "while True: pass",
    "waiting": "time.sleep(60)",
    "in a call that does not return": "hashlib.pbkdf2_hmac('sha512', b'', b'', 10**9)",  # as XLA's: without the GIL
    "in a call with a file half-written": """
        interrupts.unfinished.add('part')
        open('part', 'w').write('half')
        hashlib.pbkdf2_hmac('sha512', b'', b'', 10**9)
    """,
    "while it ends": """
        try: time.sleep(60)
        finally: time.sleep(60)
    """,
    "in a destructor": """
        class Busy:
            def __del__(self): time.sleep(60)
        Busy()
    """,
    "in a library that prints it and goes on": """
        try: time.sleep(60)
        except BaseException as error: sys.excepthook(type(error), error, None)  # as PyErr_Print does
        time.sleep(60)
    """,
    "in a library that makes an error of it": """
        try: time.sleep(60)
        except BaseException: raise ValueError
    """,
    "in a verb that would tell of an error": """
        from linbyol.cli.unforeseen import told
        try: time.sleep(60)
        except BaseException: return told(ValueError())
    """,
    "with a process of its own": """
        import multiprocessing
        multiprocessing.get_context('spawn').Process(target=time.sleep, args=(60,)).start()
        hashlib.pbkdf2_hmac('sha512', b'', b'', 10**9)
    """,
}


def started(words, folder):
    """A process that runs the words as a call, once it is there."""
    program = "import hashlib, sys, time\nfrom linbyol import interrupts\ndef call():\n    print('here', flush=True)\n"
    program += textwrap.indent(textwrap.dedent(words), "    ") + "\ninterrupts.run(call)"
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    process = subprocess.Popen(
        [sys.executable, "-c", program], cwd=folder, env=environment(), start_new_session=True, **pipes
    )
    assert process.stdout.readline() == "here\n"
    time.sleep(0.1)
    return process


def is_alone(session, seconds=5):
    """Whether nobody of the session is left, or soon will be."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            os.killpg(session, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


def listens(process):
    """Whether the process has a handler for SIGTERM, which Python alone has not."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return bool(int(re.search(r"SigCgt:\s*(\w+)", status)[1], 16) >> (signal.SIGTERM - 1) & 1)


@pytest.mark.parametrize("words", BUSY.values(), ids=BUSY)
def test_it_ends_soon_whatever_it_is_doing(words, tmp_path):
    for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
        process = started(words, tmp_path)
        start = time.monotonic()
        process.send_signal(number)
        _, err = process.communicate(timeout=60)
        assert time.monotonic() - start < 2
        assert (process.returncode, err) == (code, "linbyol: interrupted\n")
        assert list(tmp_path.iterdir()) == []
        assert is_alone(process.pid)


def test_what_is_done_has_its_own_status(tmp_path):
    process = started("return 7", tmp_path)
    assert process.communicate(timeout=60) == ("", "")
    assert process.returncode == 7


def test_signals_that_are_ignored_stay_ignored(tmp_path):
    """As under nohup, or in the background of a shell."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        process = started("time.sleep(0.5)\nreturn 0", tmp_path)
    finally:
        signal.signal(signal.SIGINT, before)
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=60) == ("", "")
    assert process.returncode == 0


def test_the_cursor_comes_back(tmp_path):
    """A bar hides it; a process that is ended from outside the main thread shows it again."""
    program = (
        "import hashlib\nfrom linbyol import interrupts\nfrom rich.console import Console\n"
        "from rich.progress import Progress\n"
        "def call():\n with Progress(console=Console(stderr=True)) as bar:\n  bar.add_task('at work')\n"
        "  hashlib.pbkdf2_hmac('sha512', b'', b'', 10**9)\ninterrupts.run(call)"
    )
    leader, follower = os.openpty()
    process = subprocess.Popen([sys.executable, "-c", program], env=environment(TERM="xterm"), stderr=follower)
    os.close(follower)
    shown = b""
    while b"at work" not in shown:
        shown += os.read(leader, 1024)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130
    while True:
        try:
            shown += os.read(leader, 1024)
        except OSError:  # the other end is closed
            break
    assert shown.rfind(b"\x1b[?25h") > shown.rfind(b"\x1b[?25l") >= 0
    assert shown.endswith(b"linbyol: interrupted\r\n")


@pytest.mark.parametrize("seconds", [0.1, 5.0])  # among the imports, and in XLA
def test_a_verb_is_interrupted_in_time(seconds, tmp_path):
    arguments = ("simulate", "modes", "--t1", "1e7", "--points", "100000", "--d", "300", "--out", "modes.npz")
    process = subprocess.Popen(
        [sys.executable, "-m", "linbyol", *arguments], cwd=tmp_path, env=environment(), stderr=subprocess.PIPE
    )
    while not listens(process):
        time.sleep(0.01)
    time.sleep(seconds)
    start = time.monotonic()
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=60)[1] == b"linbyol: interrupted\n"
    assert process.returncode == 130
    assert time.monotonic() - start < 2
    assert list(tmp_path.iterdir()) == []
