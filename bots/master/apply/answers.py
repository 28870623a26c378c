"""Answers to the questions of an application: taps, texts, photos, a shared number or place."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from bots import fsm, media
from bots.buttons import tap
from bots.callbacks import on
from bots.master.apply import entry, questions
from bots.screens import Screen, page
from bots.visit import Dialog, Reply, Visit
from fieldservice.lib.errors import ConflictError, DomainError, InvalidError
from fieldservice.lib.point import make_point, parse_point
from finance.services import enrolment
from geo.models import City
from geo.names import in_order
from geo.selectors import search_cities
from staff.models import MasterDraft
from staff.selectors import draft_of
from staff.services import onboarding

WEEK = 7 * 24 * 3600
DOCUMENTS = ("passport", "selfie")
#: questions that a text answers
SKIPPED = ("middle_name", "referral", "plate")
TEXTS = ("last_name", "first_name", "middle_name", "phone", "referral", "plate", "payout")


def _open(visit: Visit) -> Screen:
    draft = draft_of(visit.person.tg_user_id)
    return questions.screen(draft) if draft else entry.ask_code()


def _back(visit: Visit, *args: Any) -> Reply:
    """After a refusal: the question that is open."""
    return entry.entry(visit)


@fsm.step(questions.STEP, ask=_open, idle=WEEK, needs="apply")
def take(visit: Visit) -> Reply:
    """A message: the answer to the open question, or a page of the album before it."""
    draft = draft_of(visit.person.tg_user_id)
    if draft is None:
        return entry.entry(visit)
    field, incoming = onboarding.question(draft), visit.incoming
    if (known := onboarding.album_field(draft, incoming.album)) and known != field:
        return _more(visit, known)
    if draft.editing and incoming.text == questions.keep_word():
        return keep(visit)
    if field in DOCUMENTS:
        return _page(visit, field)
    if field == "city":
        return _city(draft, incoming.text)
    if field == "home":
        return _next(visit, field, _place(incoming))
    if field == "phone":
        return _next(visit, field, own_phone(incoming))
    if field not in TEXTS:
        raise InvalidError(_("Use the buttons below, please."))
    if not incoming.text:
        raise InvalidError(_("A text is expected here."))
    return _next(visit, field, incoming.text)


@on("m:onb:set", needs="apply", back=_back)
def choose(visit: Visit, field: str, value: str) -> Reply:
    """A button of a question."""
    if field == "consent":
        return _next(visit, field, {"version": onboarding.CONSENT, "at": timezone.now().isoformat()})
    if field == "vehicle":
        return _next(visit, field, value == "yes")
    if field in ("payout_method", "bank"):
        return _next(visit, field, value)
    if field in SKIPPED and value == "-":
        return _next(visit, field, "")
    raise ConflictError(_("This button is out of date. Here is the menu."))


@on("m:onb:no", needs="apply", back=_back)
def disagree(visit: Visit) -> Reply:
    """Without consent nothing is kept."""
    draft = draft_of(visit.person.tg_user_id)
    if draft and onboarding.question(draft) != "consent":
        return questions.ask(draft)
    onboarding.drop(tg_user_id=visit.person.tg_user_id)
    return Reply(page("apply/refused.html", [[tap(_("🔄 Start over"), "m:menu")]]))


@on("m:onb:city", needs="apply", back=_back)
def choose_city(visit: Visit, city_id: int) -> Reply:
    """A city of the list."""
    return _next(visit, "city", city_id)


@on("m:onb:cities", needs="apply", back=_back)
def all_cities(visit: Visit, number: int = 1) -> Reply:
    """The list of all cities."""
    draft = _draft(visit)
    if onboarding.question(draft) != "city":
        return questions.ask(draft)
    return questions.ask(draft, number=number, cities=in_order(City.objects.filter(is_active=True)))


@on("m:onb:tick", needs="apply", back=_back)
def tick(visit: Visit, field: str, choice: int, number: int) -> Reply:
    """One of several, on or off; 0 only turns the page."""
    if field not in ("districts", "skills"):
        raise ConflictError(_("This button is out of date. Here is the menu."))
    if not choice:
        return questions.ask(_draft(visit), number=number)
    draft = onboarding.pick(tg_user_id=visit.person.tg_user_id, field=field, choice=choice)
    return questions.ask(draft, number=number)


@on("m:onb:done", needs="apply", back=_back)
def done(visit: Visit, field: str) -> Reply:
    """Enough ticked."""
    if field not in ("districts", "skills"):
        raise ConflictError(_("This button is out of date. Here is the menu."))
    return _next(visit, field, None)


@on("m:onb:change", needs="apply", back=_back)
def change(visit: Visit) -> Reply:
    """Which answer is to be changed?"""
    draft = _draft(visit)
    if onboarding.question(draft) != onboarding.SUMMARY:
        return questions.ask(draft)
    return Reply(questions.change(draft), dialog=Dialog(questions.STEP))


@on("m:onb:edit", needs="apply", back=_back)
def edit(visit: Visit, field: str) -> Reply:
    """Ask one question again."""
    return questions.ask(onboarding.edit(tg_user_id=visit.person.tg_user_id, field=field))


@on("m:onb:keep", needs="apply", back=_back)
def keep(visit: Visit) -> Reply:
    """The answer stays."""
    return questions.ask(onboarding.keep(tg_user_id=visit.person.tg_user_id))


@on("m:onb:later", needs="apply", back=_back)
def later(visit: Visit) -> Reply:
    """The answers are kept; go on whenever you like, or forget them."""
    _draft(visit)
    return Reply(entry.kept())


@on("m:onb:drop", needs="apply", back=_back)
def ask_drop(visit: Visit) -> Reply:
    """One tap must not lose a filled form."""
    rows = [[tap(_("🗑 Yes, delete"), "m:onb:drop_yes"), tap(_("No"), "m:menu")]]
    return Reply(page("apply/drop.html", rows))


@on("m:onb:drop_yes", needs="apply", back=_back)
def drop(visit: Visit) -> Reply:
    """Forget the answers."""
    onboarding.drop(tg_user_id=visit.person.tg_user_id)
    return Reply(entry.entry(visit).screen, toast=_("Deleted."), dialog=entry.entry(visit).dialog)


@on("m:onb:send", needs="apply", back=_back)
def send(visit: Visit) -> Reply:
    """Send the application to moderation."""
    try:
        master = enrolment.submit(
            tg_user_id=visit.person.tg_user_id, username=visit.person.username, now=timezone.now()
        )
    except DomainError as error:
        if error.code == "gone":
            onboarding.ask_again(tg_user_id=visit.person.tg_user_id, fields=error.details["fields"])
        if error.code == "no_invite":  # the answers stay: with another code they are sent
            return Reply(entry.ask_code().under(str(error)), dialog=Dialog(entry.CODE))
        raise
    return Reply(entry.standing(master), toast=_("The application is sent."))


def _draft(visit: Visit) -> MasterDraft:
    draft = draft_of(visit.person.tg_user_id)
    if draft is None:
        raise ConflictError(_("There is no application to fill in. Press /start, please."))
    return draft


def _next(visit: Visit, field: str, value: Any) -> Reply:
    return questions.ask(onboarding.answer(tg_user_id=visit.person.tg_user_id, field=field, value=value))


def _page(visit: Visit, field: str) -> Reply:
    """A document: the first photo answers, further ones of the same album join it without another question."""
    expected = {
        "passport": _("A photo or a scan (PDF) of the passport is expected here."),
        "selfie": _("A photo of yourself is expected here."),
    }
    file = media.page_of(visit.incoming, expected[field])
    draft = _draft(visit)
    answers = onboarding.question(draft) == field
    album = {"album": visit.incoming.album} if visit.incoming.album else {}
    kept = media.ref_fields(file, "master") | album
    draft = onboarding.add_page(tg_user_id=visit.person.tg_user_id, field=field, file=kept)
    return questions.ask(draft) if answers else Reply(dialog=Dialog(questions.STEP))


def _more(visit: Visit, field: str) -> Reply:
    """A further page of an album that has answered its question already."""
    try:
        return _page(visit, field)
    except InvalidError as error:  # a video among the photos
        return Reply(toast=str(error), dialog=Dialog(questions.STEP))


def _city(draft: MasterDraft, text: str) -> Reply:
    if not text:
        raise InvalidError(_("Write the name of your city, please."))
    found = search_cities(text, limit=10)
    if not found:
        raise InvalidError(_("There is no such city in our list. Try another spelling, or look at all cities."))
    return questions.ask(draft, cities=found)


def own_phone(incoming: media.Incoming) -> str:
    """The number sent by the key or typed. Raises InvalidError for somebody else's card and for anything else."""
    if incoming.kind == "contact" and not incoming.phone:
        raise InvalidError(_("This is somebody else's number. Send your own, please: by the button or as a text."))
    if not (incoming.phone or incoming.text):
        raise InvalidError(_("A phone number is expected here."))
    return incoming.phone or incoming.text


def _place(incoming: media.Incoming) -> list[float]:
    if incoming.place:
        point = make_point(*incoming.place)
    elif incoming.text in ("-", questions.skip_word()):
        return []
    elif incoming.text:
        point = parse_point(incoming.text)
    else:
        raise InvalidError(_("Send a location, or skip this step."))
    return [point.lat, point.lon]
