from bots.admin.bot import SPEC
from bots.management.bot_command import BotCommand


class Command(BotCommand):
    help = "Run the admin bot until SIGTERM. Exit codes: 2 wrong token or address, 78 a second copy runs."
    spec = SPEC
    listen = "127.0.0.1:8083"
