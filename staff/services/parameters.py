"""Settings as staff change them: all or nothing; the audit log has old and new, of a secret only that there is one."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from django.db import transaction

from fieldservice.lib.actor import Actor
from fieldservice.lib.errors import InvalidError
from fieldservice.runtime import registry
from fieldservice.runtime.models import Setting
from staff.scope import require
from staff.services.moderation import audit


@transaction.atomic
def change(*, texts: Mapping[str, str], actor: Actor) -> None:
    """Store each text under its setting's name; an empty one brings the default back.

    Raises InvalidError by setting, then nothing is written; KeyError for an unknown name.
    """
    require(actor, "settings")
    if errors := mistakes(texts=texts):
        raise InvalidError(errors)
    before = _recorded(texts)
    for name, text in texts.items():
        if text:
            registry.write(name, text, actor=actor)
        else:
            Setting.objects.filter(key=name).delete()
    after = _recorded(texts)
    for name in texts:
        audit("setting_changed", actor=actor, changes={name: [before.get(name), after.get(name)]})


def reset(*, name: str, actor: Actor) -> None:
    """The default again. Raises InvalidError when it does not go with the other settings."""
    change(texts={name: ""}, actor=actor)


def mistakes(*, texts: Mapping[str, str]) -> dict[str, str]:
    """What is wrong with `texts`, each alone and those that are right together: sentences by setting."""
    errors: dict[str, str] = {}
    for name, text in texts.items():
        if text:
            try:
                registry.KEYS[name].parse(text)
            except InvalidError as error:
                errors |= error.fields
    try:
        registry.check_together({name: text for name, text in texts.items() if name not in errors})
    except InvalidError as error:
        errors |= error.fields
    return errors


def _recorded(names: Collection[str]) -> dict[str, str]:
    """What the audit log may hold of the stored values."""
    stored = Setting.objects.filter(key__in=names).values_list("key", "value")
    return {name: "***" if value and registry.is_secret(name) else value for name, value in stored}
