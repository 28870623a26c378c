from typing import Any

from django.core.management.base import BaseCommand

from bots.admin.bot import SPEC
from bots.runner import main


class Command(BaseCommand):
    help = "Run the admin bot (polling) until SIGTERM. Exit codes: 2 token missing or wrong, 78 a second copy runs."

    def handle(self, *args: Any, **options: Any) -> None:
        main(SPEC)
