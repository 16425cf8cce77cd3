"""The process that a drill kills: serves the plan of its command line on a port of loopback."""

import sys

import msgspec

from loadtests.guarantee_api.server import Plan, serve


def main() -> None:
    port, workers, plan = sys.argv[1:]
    found = msgspec.json.decode(plan, type=Plan)
    serve(found, host="127.0.0.1", port=int(port), workers=int(workers))


if __name__ == "__main__":
    main()
