"""Runs the service under uvicorn: one process, or several that share a port and a store.

A process is told what to serve by one environment variable, because uvicorn starts further
processes afresh.
"""

import asyncio
import gc
import os
import pickle
import sys
from pathlib import Path
from time import time
from typing import Any, Final

import msgspec
import uvicorn
from sqlalchemy.engine import make_url

from loadtests.guarantee_api import logs, settings
from loadtests.guarantee_api.app import Application
from loadtests.guarantee_api.connection import Connection
from loadtests.guarantee_api.decide import Decider
from loadtests.guarantee_api.programme import Programme
from loadtests.guarantee_api.service import MS, Service
from loadtests.guarantee_api.store import open_store
from loadtests.guarantee_api.tokens import secret_from
from scenarios import loader

VARIABLE: Final = "SPRINGPEAK_GUARANTEE_API"
# The writing thread gets the interpreter back ten times sooner than by default (5 ms).
SWITCH_S: Final = 0.0005
UVICORN: Final[dict[str, Any]] = {
    "loop": "uvloop",
    "http": Connection,
    "ws": "none",
    "access_log": False,
    "log_config": None,
    "server_header": False,
    "date_header": False,
    "proxy_headers": False,
}
"""Its own answers and logs are the application's."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What to serve."""

    scenario: str
    overlays: list[str]
    sets: list[str]
    store: str
    secret_file: str
    settings_file: str | None
    faults: bool
    shares_port: bool = False
    """Several processes answer at the port."""
    programme_file: str | None = None
    """The scenario's programme, pickled by whoever starts the service again and again (reading a
    scenario takes seconds); read in place of the scenario."""


def application() -> Application:
    """The application of one process (uvicorn calls this)."""
    plan = msgspec.json.decode(os.environ[VARIABLE], type=Plan)
    limits = settings.load(Path(plan.settings_file) if plan.settings_file else None)
    logs.set_up()
    service = Service(
        _programme(plan),
        limits,
        store_url=plan.store,
        secret=secret_from(Path(plan.secret_file)),
        with_faults=plan.faults,
        process=str(os.getpid()) if plan.shares_port else "",
    )
    # Requests leave no cycles behind: what is here stays, and is not looked through again.
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)
    sys.setswitchinterval(SWITCH_S)
    return Application(service)


def _programme(plan: Plan) -> Programme:
    if plan.programme_file is not None:
        programme: Programme = pickle.loads(Path(plan.programme_file).read_bytes())
        return programme
    return Programme.of(loader.load(plan.scenario, overlays=plan.overlays, sets=plan.sets))


def prepare(plan: Plan) -> settings.Settings:
    """Check what was given, and make the secret before several processes look for it."""
    limits = settings.load(Path(plan.settings_file) if plan.settings_file else None)
    secret_from(Path(plan.secret_file))
    return limits


def try_store(plan: Plan, programme: Programme, limits: settings.Settings) -> None:
    """Open the store and close it: uvicorn would start processes that cannot again and again.
    Raises ValueError."""
    decider = Decider(programme, key_lifetime_ms=round(limits.key_lifetime_s * MS))
    store = open_store(plan.store, decider, limits)

    async def tried() -> None:
        try:
            await store.open(int(time() * MS))
        finally:
            await store.close()

    try:
        asyncio.run(tried())
    except Exception as error:  # whatever a driver raises
        why = getattr(error, "orig", None) or error  # without SQLAlchemy's address of its pages
        shown = make_url(plan.store).render_as_string(hide_password=True)
        raise ValueError(f"--store {shown}: {why}") from None


def serve(plan: Plan, *, host: str, port: int, workers: int) -> None:
    """Serve until told to stop; running requests are finished first."""
    limits = prepare(plan)
    plan = msgspec.structs.replace(plan, shares_port=workers > 1)
    os.environ[VARIABLE] = msgspec.json.encode(plan).decode()
    uvicorn.run(
        "loadtests.guarantee_api.server:application",
        factory=True,
        host=host,
        port=port,
        workers=workers,
        **UVICORN,
        timeout_graceful_shutdown=int(limits.shutdown_s_max),
    )
