"""What people do with Locust today, for the comparison: FastHttpUser in a closed loop.

Prints one JSON line: requests, requests per second, and the share of response times above 100 ms.
"""

import argparse
import json
import os
import time

import gevent
from locust import FastHttpUser, constant_throughput, events, task
from locust.env import Environment

BODY = b'{"trigger":"closed_or_refused","category":"catering","order_id":1}'
took_ms: list[float] = []


class Claimant(FastHttpUser):
    """Sends the next request when the answer to the last one is there."""

    @task
    def claim(self) -> None:
        self.client.post("/v1/claims", data=BODY, headers={"content-type": "application/json"})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("--users", type=int, default=64)
    parser.add_argument("--per-user-s", type=float, default=0.0, help="0: as fast as it goes")
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--core", type=int, default=None)
    options = parser.parse_args()
    if options.core is not None:
        os.sched_setaffinity(0, {options.core})
    if options.per_user_s:
        Claimant.wait_time = constant_throughput(options.per_user_s)
    events.request.add_listener(lambda response_time, **_: took_ms.append(response_time))
    environment = Environment(
        user_classes=[Claimant], events=events, host=f"http://127.0.0.1:{options.port}"
    )
    runner = environment.create_local_runner()
    print("started", flush=True)
    began_s = time.perf_counter()
    runner.start(options.users, options.users)
    gevent.sleep(options.seconds)
    seconds, count = time.perf_counter() - began_s, len(took_ms)
    runner.quit()
    slow_ratio = sum(one > 100.0 for one in took_ms) / count
    print(json.dumps({"sent": count, "per_s": count / seconds, "slow_ratio": slow_ratio}))


if __name__ == "__main__":
    main()
