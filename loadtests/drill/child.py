"""The process that a drill kills: serves the plan of its command line on a port of loopback.

After an outage everybody comes at once: it takes as many connections as the machine allows it.
"""

import resource
import sys

import msgspec

from loadtests.drill.service import files_count
from loadtests.guarantee_api.server import Plan, serve
from loadtests.port import LOOPBACK


def main() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files_count(hard), hard))
    port, workers, plan = sys.argv[1:]
    found = msgspec.json.decode(plan, type=Plan)
    serve(found, host=LOOPBACK, port=int(port), workers=int(workers))


if __name__ == "__main__":
    main()
