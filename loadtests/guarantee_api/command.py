"""`springpeak serve`, `token`, `tokens`, `proxy`: they parse and call. The front door registers
them."""

import time
from pathlib import Path
from typing import Annotated

import typer

from scenarios.command import BASE, Overlays, Sets, resolve

SecretFile = Annotated[
    Path, typer.Option(help="File with the secret that signs tokens; made if there is none.")
]


def serve(
    scenario: Annotated[
        str, typer.Argument(metavar="SCENARIO", help="Whose guarantees and budgets are served.")
    ] = BASE,
    *,
    overlay: Overlays = None,
    sets: Sets = None,
    store: Annotated[
        str, typer.Option(metavar="URL", help="sqlite:///FILE or postgresql://...")
    ] = "sqlite:///guarantee.db",
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on.")] = 8080,
    workers: Annotated[int, typer.Option(min=1, help="Serving processes.")] = 1,
    secret_file: SecretFile = Path("guarantee.secret"),
    settings: Annotated[
        Path | None, typer.Option(help="TOML file that replaces some of the shipped limits.")
    ] = None,
    faults: Annotated[
        bool, typer.Option("--faults", help="Allow faults on request. For tests only.")
    ] = False,
) -> None:
    """Serve the reference guarantee API until told to stop."""
    from loadtests.guarantee_api.programme import Programme
    from loadtests.guarantee_api.server import Plan, prepare, try_store
    from loadtests.guarantee_api.server import serve as run
    from loadtests.port import PortError, check

    if not store.startswith(("sqlite:///", "postgresql://", "postgres://")):
        raise typer.BadParameter("--store is sqlite:///FILE or postgresql://...")
    plan = Plan(
        scenario=scenario,
        overlays=overlay or [],
        sets=sets or [],
        store=store,
        secret_file=str(secret_file),
        settings_file=None if settings is None else str(settings),
        faults=faults,
    )
    programme = Programme.of(resolve(scenario, overlay, sets).scenario)
    try:
        limits = prepare(plan)
        check(host, port)
        try_store(plan, programme, limits)
    except (ValueError, OSError, PortError) as error:  # a secret too short, settings out of range
        raise typer.BadParameter(str(error)) from None
    run(plan, host=host, port=port, workers=workers)


def token(
    role: Annotated[str, typer.Option(help="consumer, agent, operator or auditor.")],
    subject: Annotated[str, typer.Option(help="Who it is for; a consumer's consumer_id.")],
    secret_file: SecretFile = Path("guarantee.secret"),
    hours: Annotated[float, typer.Option(min=0.0, help="How long it is good for.")] = 24.0,
) -> None:
    """Print a signed bearer token for the guarantee API."""
    from loadtests.guarantee_api.tokens import issue, secret_from

    try:
        expires_s = int(time.time() + hours * 3600)
        text = issue(secret_from(secret_file), role=role, subject=subject, expires_s=expires_s)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    typer.echo(text)


def tokens(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Token file to write.")],
    *,
    secret_file: SecretFile = Path("guarantee.secret"),
    hours: Annotated[float, typer.Option(min=0.0, help="How long they are good for.")] = 24.0,
) -> None:
    """Write the token file that a load test and its audit send to the guarantee API."""
    from loadtests import tokenfile
    from loadtests.guarantee_api.tokens import issue_all, secret_from

    try:
        issued = issue_all(secret_from(secret_file), expires_s=int(time.time() + hours * 3600))
        tokenfile.write(file, issued)
    except (ValueError, OSError, tokenfile.TokenFileError) as error:
        raise typer.BadParameter(str(error)) from None
    typer.echo(f"tokens of every role for {hours:g} h in {file}")


def proxy(
    servers: Annotated[
        list[str], typer.Argument(metavar="HOST:PORT...", help="Where the processes listen.")
    ],
    *,
    bind: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="Where clients connect.")
    ] = "127.0.0.1:8080",
    connections: Annotated[
        int, typer.Option(min=1, max=1_000_000, help="Most connections of clients.")
    ] = 4096,
    settings: Annotated[
        Path | None, typer.Option(help="The processes' own settings file, if they have one.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="File to write (else printed).")
    ] = None,
) -> None:
    """Write HAProxy's configuration for several serving processes of one store."""
    from loadtests.guarantee_api import proxy as haproxy
    from loadtests.guarantee_api.settings import load

    try:
        limits = load(settings)
        text = haproxy.config(servers, limits, bind=bind, connections_count_max=connections)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    if out is not None:
        try:
            out.write_text(text, encoding="utf-8")
        except OSError as error:
            raise typer.BadParameter(f"--out {out}: {error.strerror}") from None
    typer.echo(text if out is None else f"haproxy -f {out}", nl=out is not None)
