"""The three handlers of a bot. Everything else is found by dictionary: routes by address, steps by name."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from aiogram import Bot, Dispatcher
from aiogram.exceptions import AiogramError
from aiogram.fsm.context import FSMContext
from aiogram.fsm.middleware import FSMContextMiddleware
from aiogram.fsm.storage.base import BaseStorage
from aiogram.fsm.storage.memory import DisabledEventIsolation
from aiogram.types import CallbackQuery, ChatMemberUpdated, Message, User
from django.conf import settings
from django.utils import translation
from django.utils.html import escape
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from bots import callbacks, calls, enclosures, errors, fsm, media, wire
from bots.bot import Spec
from bots.db import in_db
from bots.live import Live
from bots.screens import Screen, show
from bots.visit import KEEP, Dialog, Reply, Visit
from bots.who import Door, enter
from fieldservice.lib.errors import DomainError

log = logging.getLogger(__name__)
ALBUMS = 1000


def dispatcher(spec: Spec, storage: BaseStorage, live: Live | None = None) -> Dispatcher:
    """A bot's dispatcher. The door stands before the dialogs: strangers and storms do not reach Redis."""
    made = Dispatcher(disable_fsm=True)
    made.update.outer_middleware(Door(spec))
    made.update.outer_middleware(FSMContextMiddleware(storage=storage, events_isolation=DisabledEventIsolation()))
    desk = Desk(spec, live)
    made.callback_query.register(desk.tap)
    made.message.register(desk.message)
    made.my_chat_member.register(desk.membership)
    return made


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of an update before the person is."""

    user: User
    dialog: Dialog | None
    message_id: int | None = None
    incoming: media.Incoming = media.NOTHING

    def visit(self, spec: Spec) -> Visit:
        """Let the person in. The only way to a Visit, hence to any handler. Raises ForbiddenError for strangers."""
        person = enter(spec, self.user, self.incoming.text)
        return Visit(person, self.dialog, self.user.id, self.message_id, self.incoming)


@dataclass(frozen=True, slots=True)
class Desk:
    """One bot's handlers."""

    spec: Spec
    live: Live | None = None
    #: what was last said to an album
    albums: dict[tuple[int, str], tuple[str, str | None]] = field(default_factory=dict)

    async def tap(self, query: CallbackQuery, bot: Bot, state: FSMContext, raw_state: str | None) -> None:
        """A tapped button: run its handler, show the screen, then answer once: the spinner ends when all is done."""
        stored = await fsm.load(state, raw_state)
        message = query.message if isinstance(query.message, Message) else None
        facts = Facts(query.from_user, _running(stored), message_id=message.message_id if message else None)
        reply = await self._run(self.tapped, facts, query.data or "")
        await _fold(bot, reply, facts, stored)
        shown = await self._put(bot, reply, facts)
        await fsm.save(state, reply, was=raw_state, prompt=shown)
        await wire.answer(bot, query.id, _toast(reply), alert=reply.alert)

    def tapped(self, facts: Facts, data: str) -> Reply:
        """What a tap on `data` leads to: checked again, done, shown. Sync, in a database thread."""
        visit = facts.visit(self.spec)
        found = callbacks.ROUTES.find(data)
        if found is None or data.partition(":")[0] != self.spec.scope:
            return replace(self.spec.home(visit), toast=_("This button is out of date. Here is the menu."))
        route, args = found
        try:
            self.spec.check(visit, route.needs)
        except DomainError as error:
            return errors.refused(error, lambda: self.spec.home(visit))
        try:
            return route.handler(visit, *args)
        except DomainError as error:
            back = route.back
            return errors.refused(error, (lambda: back(visit, *args)) if back else None)

    async def message(self, message: Message, bot: Bot, state: FSMContext, raw_state: str | None) -> None:
        """A message: a command, the answer of a running dialog, or something nobody asked for."""
        if message.from_user is None:
            return
        stored = await fsm.load(state, raw_state)
        facts = Facts(message.from_user, _running(stored), incoming=media.read(message))
        if raw_state == fsm.AWAY and not facts.incoming.text.startswith("/"):
            raise RuntimeError("this may be an answer, and nobody knows to what")
        reply = await self._run(self._written, facts, bool(stored and stored.expired))
        if self._said(facts, reply):
            reply = replace(reply, screen=None, toast="")
        # a question that stays keeps its keyboard and its buttons
        answered = None if reply.dialog is KEEP else stored
        if await _fold(bot, reply, facts, answered):
            reply = replace(reply, toast="")
        shown = await self._put(bot, _loud(reply), facts)
        if shown and answered:
            await _strip(bot, facts.user.id, answered.prompt)
        prompt = shown or (stored.prompt if stored else None)
        await fsm.save(state, reply, was=raw_state, prompt=prompt)

    def _said(self, facts: Facts, reply: Reply) -> bool:
        """Whether the same was said to an earlier picture of this album: ten pictures are one mistake, not ten."""
        if not facts.incoming.album or not (reply.screen or reply.toast):
            return False
        key, said = (facts.user.id, facts.incoming.album), (reply.toast, reply.screen.text if reply.screen else None)
        if self.albums.get(key) == said:
            return True
        if len(self.albums) >= ALBUMS:
            self.albums.clear()
        self.albums[key] = said
        return False

    def _written(self, facts: Facts, expired: bool) -> Reply:
        visit = facts.visit(self.spec)
        command = visit.incoming.text.split(maxsplit=1)[0].partition("@")[0].lower() if visit.incoming.text else ""
        if command == "/help":
            return _still_asked(visit, self.spec.help(visit))
        if command == "/cancel" and visit.dialog:
            return replace(self.spec.home(visit), toast=_("Canceled."))
        if command in ("/start", "/menu", "/cancel"):
            return self.spec.home(visit)
        if expired:
            return replace(self.spec.home(visit), toast=_("The dialog has timed out. Nothing was changed."))
        taken = self._answered(visit, visit.dialog) if visit.dialog else None
        return taken or replace(self.spec.home(visit), toast=_("Use the buttons, please."))

    def _answered(self, visit: Visit, dialog: Dialog) -> Reply | None:
        """Give the message to the step that waits for it; a wrong one is told what is expected, nothing is lost."""
        step = fsm.STEPS[dialog.step]
        try:
            self.spec.check(visit, step.needs)
        except DomainError as error:
            return errors.refused(error, lambda: self.spec.home(visit))
        try:
            return step.take(visit)
        except DomainError as error:
            return self._ask_again(visit, step, dialog, error)

    def _ask_again(self, visit: Visit, step: fsm.Step, dialog: Dialog, error: DomainError) -> Reply:
        try:
            return Reply(step.ask(visit).under(str(error)), dialog=dialog)
        except DomainError:  # what was asked about is gone: there is nothing to ask any more
            return errors.refused(error, lambda: self.spec.home(visit))

    async def membership(self, change: ChatMemberUpdated) -> None:
        """The person blocked the bot, or came back."""
        try:
            await in_db(self.spec.reachable, change.from_user.id, change.new_chat_member.status != "kicked")
        except Exception as error:  # noqa: BLE001 - nobody waits for an answer
            await errors.crashed(error, bot=self.spec.name)

    async def _put(self, bot: Bot, reply: Reply, facts: Facts) -> int | None:
        """Show the reply while nobody else draws in the chat; what ticks, ticks from now on."""
        if self.live is None:
            return await self._show(bot, reply, facts)
        async with self.live.chat(facts.user.id):
            shown = await self._show(bot, reply, facts)
            if reply.screen:
                language = translation.get_language() or settings.LANGUAGE_CODE
                self.live.set(facts.user.id, facts.message_id, None, language)
                self.live.set(facts.user.id, shown, reply.live, language)
        return shown

    async def _show(self, bot: Bot, reply: Reply, facts: Facts) -> int | None:
        """Show the reply; the id of its screen's message. What Telegram refuses is logged: the work is kept."""
        chat_id, message_id = facts.user.id, facts.message_id
        try:
            if len(reply.toast) > errors.ALERT_LIMIT:
                await show(bot, Screen(escape(reply.toast)), chat_id=chat_id)
            if reply.screen is None:
                return None
            screen = reply.screen
            if reply.files:
                screen = await self._enclose(bot, screen, reply.files, chat_id)
            if message_id and (reply.files or screen.keys):  # the screen comes anew, below
                await _strip(bot, chat_id, message_id)
                message_id = None
            return await show(bot, screen, chat_id=chat_id, message_id=message_id)
        except AiogramError as error:
            log.warning("screen_not_shown", extra=errors.facts(error))
            return None

    async def _enclose(self, bot: Bot, screen: Screen, files: Sequence[media.Enclosure], chat_id: int) -> Screen:
        lost = await enclosures.send(bot, self.spec.name, files, chat_id=chat_id)
        if not lost:
            return screen
        sentence = ngettext("%(lost)s file could not be opened.", "%(lost)s files could not be opened.", lost)
        return screen.under(sentence % {"lost": lost})

    async def _run(self, function: Callable[..., Reply], *args: Any) -> Reply:
        try:
            return await in_db(function, *args)
        except DomainError as error:  # a stranger, or the menu itself refused
            return errors.refused(error)
        except Exception as error:  # noqa: BLE001 - whatever it was, the person is told
            return await errors.crashed(error, bot=self.spec.name)


def _running(stored: fsm.Stored | None) -> Dialog | None:
    return stored.dialog if stored and not stored.expired else None


def _still_asked(visit: Visit, helped: Reply) -> Reply:
    """The help does not end the question; a keyboard that hid itself when something was sent comes again with it."""
    if helped.dialog:
        return helped
    screen = helped.screen
    if visit.dialog and screen:
        with suppress(DomainError):  # what is asked about is gone: the next message is told so
            keys = fsm.STEPS[visit.dialog.step].ask(visit).keys
            screen = Screen(screen.text, keys=keys) if keys else screen
    return replace(helped, screen=screen, dialog=KEEP)


def _toast(reply: Reply) -> str:
    # a longer text would be refused by Telegram: it becomes a message
    return reply.toast if len(reply.toast) <= errors.ALERT_LIMIT else ""


def _loud(reply: Reply) -> Reply:
    """Without a tapped button there is no toast: its text goes above the screen."""
    if not reply.toast:
        return reply
    screen = reply.screen.under(reply.toast) if reply.screen else Screen(escape(reply.toast))
    return replace(reply, screen=screen, toast="")


async def _fold(bot: Bot, reply: Reply, facts: Facts, stored: fsm.Stored | None) -> bool:
    """Take the keyboard of the answered question away; that needs a message of its own, which may carry the toast."""
    if not (stored and stored.keys and reply.screen) or reply.screen.keys:
        return False
    try:
        await wire.patient(bot, calls.send(facts.user.id, escape(reply.toast or _("Noted.")), calls.NO_KEYBOARD))
    except AiogramError as error:
        log.info("keyboard_not_folded", extra={"error": type(error).__name__})
    return True


async def _strip(bot: Bot, chat_id: int, message_id: int | None) -> None:
    """Take the buttons off an answered question."""
    if message_id is None:
        return
    try:
        await wire.edit(bot, calls.strip(chat_id, message_id))
    except AiogramError as error:
        log.info("prompt_not_stripped", extra={"error": type(error).__name__})
