"""Who handles an update of Telegram, when several replicas of a bot stand behind one address.

Times are the database's: replicas live on machines whose clocks differ. The service is idempotent where it must be:
a replica that is killed after its commit, before `done`, makes the update come once more, as with polling.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from django.db import connection

#: how long a replica that was killed keeps its update from the others
LEASE = timedelta(seconds=10)
#: Telegram tries for a day
KEPT = timedelta(days=2)

TAKE = """
INSERT INTO bot_updates AS u (bot, update_id, chat_id, holder, leased_until)
VALUES (%(bot)s, %(update)s, %(chat)s, %(holder)s, now() + %(lease)s)
ON CONFLICT (bot, update_id) DO UPDATE SET holder = excluded.holder, leased_until = excluded.leased_until,
       claimed_at = now()
 WHERE u.handled_at IS NULL AND u.leased_until <= now()
RETURNING 1"""
IS_DONE = "SELECT handled_at IS NOT NULL FROM bot_updates WHERE bot = %(bot)s AND update_id = %(update)s"
MINE = "WHERE bot = %(bot)s AND update_id = %(update)s AND holder = %(holder)s AND handled_at IS NULL"
RENEW = f"UPDATE bot_updates SET leased_until = now() + %(lease)s {MINE}"
DONE = f"UPDATE bot_updates SET handled_at = now() {MINE}"
ELSEWHERE = """
SELECT EXISTS (SELECT 1 FROM bot_updates
                WHERE bot = %(bot)s AND chat_id = %(chat)s AND claimed_at > %(since)s AND holder <> %(holder)s)"""
PRUNE = "DELETE FROM bot_updates WHERE claimed_at < now() - %(kept)s"


class Claim(Enum):
    """What came of asking for an update."""

    #: yours: handle it, then say `done`
    MINE = "mine"
    #: handled before: Telegram sent it once more
    DONE = "done"
    #: another replica, or another request, is at it
    BUSY = "busy"


class Register:
    """The updates of one bot, as one replica (`holder`) sees them."""

    def __init__(self, *, bot: str, holder: str) -> None:
        self.bot, self.holder = bot, holder

    def claim(self, *, update_id: int, chat_id: int) -> Claim:
        """Take the update, unless it is done or in other hands."""
        if self._execute(TAKE, update=update_id, chat=chat_id, lease=LEASE):
            return Claim.MINE
        found = self._execute(IS_DONE, update=update_id)
        return Claim.DONE if found and found[0] else Claim.BUSY

    def renew(self, *, update_id: int) -> None:
        """Still at it."""
        self._execute(RENEW, update=update_id, lease=LEASE)

    def done(self, *, update_id: int) -> None:
        """It was handled: whoever brings it again is told so."""
        self._execute(DONE, update=update_id)

    def is_elsewhere(self, chat_id: int, since: datetime) -> bool:
        """Whether another replica has answered in this chat since then."""
        found = self._execute(ELSEWHERE, chat=chat_id, since=since)
        return bool(found and found[0])

    def prune(self) -> None:
        """Forget what Telegram no longer repeats."""
        self._execute(PRUNE, kept=KEPT)

    def _execute(self, statement: str, **params: Any) -> tuple[bool] | None:
        with connection.cursor() as cursor:
            cursor.execute(statement, {"bot": self.bot, "holder": self.holder, **params})
            return cursor.fetchone() if cursor.description else None
