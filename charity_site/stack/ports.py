"""Ports on loopback: are they free, and who has them."""

from __future__ import annotations

import errno
import socket

import psutil

from charity_site.stack.addresses import HOST
from charity_site.stack.processes import StackError


def taken(port: int) -> bool:
    """This will tell whether a port can't be listened on."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                return True
            raise
    return False


def holder(port: int) -> str:
    """This will name the process that listens on a port, as far as we may see it."""
    try:
        for item in psutil.net_connections("tcp"):
            if item.status == psutil.CONN_LISTEN and item.laddr and item.laddr.port == port and item.pid:
                return f"{psutil.Process(item.pid).name()} (process {item.pid})"
    except psutil.Error:
        pass
    return "another program"


def refuse_taken(port: int, what: str) -> None:
    """This will raise StackError when a port is taken, with who has it and what to do."""
    if taken(port):
        raise StackError(
            f"Port {port}, which {what} needs, is taken by {holder(port)}. Stop it, or choose another "
            "port for the site (the servers take the next two): PORT=8100 make run"
        )


def free_port() -> int:
    """This will give a port that is free now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
