from bots.management.bot_command import BotCommand
from bots.master.bot import SPEC


class Command(BotCommand):
    help = "Run the master bot until SIGTERM. Exit codes: 2 wrong token or address, 78 a second copy runs."
    spec = SPEC
    listen = "127.0.0.1:8082"
