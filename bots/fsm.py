"""Dialogs: what was asked, kept in Redis so that a restart loses nothing; they time out with a notice."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from aiogram.fsm.context import FSMContext
from aiogram.fsm.storage.base import DefaultKeyBuilder, StorageKey
from aiogram.fsm.storage.redis import RedisStorage
from django.conf import settings
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from bots.screens import Screen
from bots.visit import KEEP, Dialog, Reply, Visit

log = logging.getLogger(__name__)
IDLE_SECONDS = 30 * 60
#: an expired dialog stays known for a week: the notice comes with the person's next message
FORGET_SECONDS = 7 * 24 * 3600
PREFIX = "fsm"
#: bookkeeping beside the answers
AT, PROMPT, KEYS = "_at", "_prompt", "_keys"
#: the state of a person while Redis is away: nobody knows whether there is a dialog
AWAY = "?"

#: None: the message is no answer to this question, nor a wrong one
Take = Callable[[Visit], Reply | None]
Ask = Callable[[Visit], Screen]
F = TypeVar("F", bound=Take)


@dataclass(frozen=True, slots=True)
class Step:
    """A question: `take` reads the answer from `visit.incoming`, `ask` is shown again when the answer was no good."""

    take: Take
    ask: Ask
    #: seconds until the dialog is over, else IDLE_SECONDS; long for forms whose answers are kept in the database
    idle: int | None = None
    #: what the person must be allowed to, as at a tap
    needs: str = ""


@dataclass(frozen=True, slots=True)
class Stored:
    """What Redis held: the dialog, the message it asked in, whether its time is over."""

    dialog: Dialog
    prompt: int | None
    expired: bool
    #: a keyboard stands under the chat
    keys: bool = False


STEPS: dict[str, Step] = {}


def step(name: str, *, ask: Ask, idle: int | None = None, needs: str = "") -> Callable[[F], F]:
    """Register what takes the answer of step `name`. Raises ValueError when the name is taken."""

    def register(take: F) -> F:
        if name in STEPS:
            raise ValueError(f"step {name} is there already")
        STEPS[name] = Step(take, ask, idle, needs)
        return take

    return register


class Dialogs(RedisStorage):
    """Redis being away ends dialogs, not work: a tap on «Accept» needs no dialog."""

    async def get_state(self, key: StorageKey) -> str | None:
        """The step; AWAY while Redis does not answer."""
        try:
            return await super().get_state(key)
        except (RedisError, OSError) as error:
            log.warning("dialogs_away", extra={"error": type(error).__name__})
            return AWAY


def storage() -> RedisStorage:
    """Dialogs of all bots, in the Redis of REDIS_FSM_URL."""
    # one person may use both bots: their dialogs are apart
    keys = DefaultKeyBuilder(prefix=PREFIX, with_bot_id=True)
    return Dialogs.from_url(
        settings.REDIS_FSM_URL,
        # one more try for a connection that was cut; redis-py's own three with pauses took ten seconds of every tap
        connection_kwargs={**settings.REDIS_TIMEOUTS, "retry": Retry(NoBackoff(), 1)},
        key_builder=keys,
        state_ttl=FORGET_SECONDS,
        data_ttl=FORGET_SECONDS,
    )


async def load(state: FSMContext, name: str | None) -> Stored | None:
    """The dialog of step `name`; None without one, or when a newer version of the program has no such step."""
    if name is None or name not in STEPS:
        return None
    data = await state.get_data()
    at, prompt, keys = data.pop(AT, 0.0), data.pop(PROMPT, None), data.pop(KEYS, False)
    return Stored(Dialog(name, data), prompt, time.time() - at > (STEPS[name].idle or IDLE_SECONDS), keys)


async def save(state: FSMContext, reply: Reply, *, was: str | None, prompt: int | None) -> None:
    """Remember the question asked by `reply`, or forget the one that ended. `was`: the state before."""
    if isinstance(reply.dialog, Dialog):
        # data first: a state without its data would be a dialog without answers
        keys = bool(reply.screen and reply.screen.keys)
        await state.set_data({**reply.dialog.data, AT: time.time(), PROMPT: prompt, KEYS: keys})
        await state.set_state(reply.dialog.step)
    elif was not in (None, AWAY) and reply.dialog is not KEEP:
        await state.clear()
