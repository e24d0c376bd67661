"""Ends processes when the one that started them is gone. Run as a script; only the standard library.

It reads orders from standard input: `end PID PATIENCE SIGNALS` (to be ended), `forget PID`, `remove FOLDER`. End of
input means that the parent has gone, however it went: then all that is on the list is ended, last started first.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return False


def wait(pid: int, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if gone(pid):
            return True
        time.sleep(0.05)
    return gone(pid)


def end(pid: int, patience: float, signals: list[int]) -> None:
    for number in signals:
        try:
            os.kill(pid, number)
        except (ProcessLookupError, PermissionError):
            break
        if wait(pid, patience):
            break
    for number in (signal.SIGTERM, signal.SIGKILL):
        # What the process left behind in its group.
        try:
            os.killpg(pid, number)
        except (ProcessLookupError, PermissionError):
            return
        time.sleep(0.3)


def main() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    ends: dict[int, tuple[float, list[int]]] = {}
    folders: list[str] = []
    for line in sys.stdin:
        order, _, rest = line.rstrip("\n").partition(" ")
        if order == "end":
            pid, patience, signals = rest.split(" ")
            ends[int(pid)] = (float(patience), [int(number) for number in signals.split(",")])
        elif order == "forget":
            ends.pop(int(rest), None)
        elif order == "remove":
            folders.append(rest)
    for pid, (patience, signals) in reversed(list(ends.items())):
        end(pid, patience, signals)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
