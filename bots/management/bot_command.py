"""What `run_master_bot` and `run_admin_bot` have in common."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from bots.bot import Spec
from bots.runner import MISCONFIGURED, main
from bots.webhook import Hook
from fieldservice.lib import memory


class BotCommand(BaseCommand):
    """Runs one bot until SIGTERM."""

    spec: Spec
    #: where a replica listens by default
    listen: str

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--webhook",
            action="store_true",
            help="take updates at WEBHOOK_URL instead of polling; several replicas may run behind one address",
        )
        parser.add_argument("--listen", default=self.listen, metavar="HOST:PORT", help="with --webhook (%(default)s)")

    def handle(self, *args: Any, **options: Any) -> None:
        hook = _hook(self.spec, options["listen"]) if options["webhook"] else None
        memory.set_aside()
        main(self.spec, hook)


def _hook(spec: Spec, listen: str) -> Hook:
    host, _colon, port = listen.rpartition(":")
    if not (host and port.isdecimal() and 0 < int(port) < 65536):
        raise _wrong(f"--listen: {listen!r} is not valid; expected HOST:PORT like 127.0.0.1:8082.")
    if not settings.WEBHOOK_URL:
        raise _wrong("WEBHOOK_URL: not set; expected the public https:// address that leads to the bots' replicas.")
    if not settings.WEBHOOK_SECRET:
        raise _wrong(
            "WEBHOOK_SECRET: not set; expected 16 to 256 letters, digits, _ and - "
            "(python -c 'import secrets; print(secrets.token_urlsafe(32))')."
        )
    url = f"{settings.WEBHOOK_URL.rstrip('/')}/{spec.name}"
    return Hook(host=host.strip("[]"), port=int(port), url=url, secret=settings.WEBHOOK_SECRET)


def _wrong(sentence: str) -> CommandError:
    return CommandError(sentence, returncode=MISCONFIGURED)
