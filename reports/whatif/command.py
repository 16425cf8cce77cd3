"""`springpeak ui`: it serves the what-if page until Ctrl-C."""

import os
import secrets
from pathlib import Path
from typing import Annotated

import typer

from reports.command import Lang
from scenarios.command import BASE
from sim.experiment.command import run_errors


def ui(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")] = 8765,
    token: Annotated[
        str | None,
        typer.Option(
            envvar="SPRINGPEAK_UI_TOKEN",
            help="Ask for this token; other addresses than loopback always ask for one.",
        ),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Worker processes (one a core if not given).")
    ] = None,
    scenario: Annotated[
        list[str] | None,
        typer.Option(metavar="FILE", help="A scenario file of your own to pick from; repeatable."),
    ] = None,
    folder: Annotated[
        Path, typer.Option(help="Where runs and saved overlays go.")
    ] = Path("results/what-if"),
    *,
    lang: Lang = "en",
) -> None:
    """Open the what-if page: move what you would move and see what comes of it."""
    from reports.folder import usable
    from reports.whatif.guard import LOOPBACK
    from reports.whatif.server import Server
    from scenarios.command import resolve
    from scenarios.loader import SHIPPED, names, shipped

    if token is not None and not token.strip():
        raise typer.BadParameter("--token is empty")
    if token is None and host not in LOOPBACK:
        token = secrets.token_urlsafe(24)
    own = scenario or []
    for name in own:
        resolve(name, None, None)  # what is wrong with a file is said before anything is served
    with run_errors():
        usable(folder)
    server = Server(
        shipped(),
        scenarios=tuple(dict.fromkeys((*own, BASE, *names(SHIPPED)))),
        overlays=tuple(names(SHIPPED / "overlays")),
        folder=folder,
        workers=workers or os.cpu_count() or 1,
        host=host,
        port=port,
        token=token,
        language=lang,
    )
    try:
        bound = server.bind()
    except OSError as error:
        reason = error.strerror or error
        raise typer.BadParameter(f"{host}:{port} cannot be listened on: {reason}") from None
    typer.echo(f"springpeak ui: {bound}  (Ctrl-C ends it)")
    server.serve()
    typer.echo("ended")
