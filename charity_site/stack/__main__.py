"""python -m charity_site.stack run|servers|start|stop|status|reset"""

from __future__ import annotations

import argparse
import sys

from charity_site.stack.addresses import addresses
from charity_site.stack.processes import StackError
from charity_site.stack.run import Site, reset, run_servers, say, start_servers, status
from charity_site.stack.supervisor import stop_supervisor


def act(verb: str, *, with_parent: bool = False, yes: bool = False) -> int:
    """This will do one of the stack's verbs; gives the exit status."""
    where = addresses()
    try:
        if verb == "run":
            return Site(where, with_parent=with_parent).run()
        if verb == "servers":
            return run_servers(where, with_parent=with_parent)
        if verb == "start":
            start_servers(where)
        elif verb == "stop":
            say("Stopped." if stop_supervisor(where) else "Nothing was running.")
        elif verb == "status":
            return status(where)
        elif verb == "reset":
            return reset(where, yes=yes)
    except StackError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m charity_site.stack", description="The site and its servers."
    )
    parser.add_argument("verb", choices=["run", "servers", "start", "stop", "status", "reset"])
    parser.add_argument("--with-parent", action="store_true", help="stop when the starting process has gone")
    parser.add_argument("--yes", action="store_true", help="reset without asking")
    options = parser.parse_args()
    return act(options.verb, with_parent=options.with_parent, yes=options.yes)


if __name__ == "__main__":
    sys.exit(main())
