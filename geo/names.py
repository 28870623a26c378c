"""What places are called: one spelling for comparing, Russian order, nicknames. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from django.db.models import CharField, F, Func, Value

Place = TypeVar("Place", bound="Named")


class Named(Protocol):
    """Whatever has a name."""

    name: Any


#: nickname → city, both folded
CITY_ALIASES = {
    "питер": "санкт петербург", "спб": "санкт петербург", "петербург": "санкт петербург",
    "с петербург": "санкт петербург", "ленинград": "санкт петербург",
    "мск": "москва", "моск": "москва",
    "екб": "екатеринбург", "ебург": "екатеринбург", "е бург": "екатеринбург", "екат": "екатеринбург",
    "нск": "новосибирск", "новосиб": "новосибирск",
    "нижний": "нижний новгород", "нн": "нижний новгород", "н новгород": "нижний новгород",
    "в новгород": "великий новгород", "тагил": "нижний тагил", "н тагил": "нижний тагил",
    "ростов": "ростов на дону", "рнд": "ростов на дону", "ростов н д": "ростов на дону",
    "челны": "набережные челны", "наб челны": "набережные челны", "н челны": "набережные челны",
    "члб": "челябинск", "челяба": "челябинск", "тлт": "тольятти", "крск": "красноярск",
    "магнитка": "магнитогорск", "йошка": "йошкар ола", "оскол": "старый оскол", "кениг": "калининград",
    "новоросс": "новороссийск",
}  # fmt: skip
#: what stands around the name of a city and is no part of it
AROUND_CITY = re.compile(r"^(?:г|гор|город) | (?:мо|московская обл|московская область)$")
#: words of a district's name that say only that it is one
DISTRICT_WORDS = frozenset({"район", "р", "н", "округ", "ао", "административный", "муниципальный"})
#: the okrugs of Moscow are canonical as abbreviations; how else they are called
OKRUGS = {
    "цао": "центральный", "сао": "северный", "свао": "северо восточный", "вао": "восточный",
    "ювао": "юго восточный", "юао": "южный", "юзао": "юго западный", "зао": "западный", "сзао": "северо западный",
}  # fmt: skip
MOSCOW = {full: short for short, full in OKRUGS.items()} | {
    "зелао": "зеленоград", "зеленоградский": "зеленоград", "нао": "новомосковский", "тао": "троицкий",
}  # fmt: skip
#: kind of street → how it is shortened
KINDS = {
    "улица": "ул", "проспект": "пр просп", "переулок": "пер", "проезд": "", "бульвар": "бул бульв",
    "набережная": "наб", "шоссе": "ш", "площадь": "пл", "тупик": "туп", "аллея": "ал", "микрорайон": "мкр мкрн",
    "квартал": "кварт", "тракт": "", "линия": "лин", "дорога": "дор", "спуск": "", "съезд": "", "въезд": "",
    "просека": "просек", "поселок": "пос", "территория": "тер", "снт": "", "гск": "",
}  # fmt: skip
KIND_OF = {word: kind for kind, short in KINDS.items() for word in (kind, *short.split())}
#: before a name these are somebody's initials: «Ш. Руставели», «Ал. Невского»
ONLY_LAST = frozenset({"ш", "ал", "лин", "наб"})
#: taken before dashes become spaces
DASHED = {
    "пр-т": "проспект", "пр-кт": "проспект", "пр-д": "проезд", "б-р": "бульвар", "м-н": "микрорайон", "кв-л": "квартал",
}  # fmt: skip
DASHES = re.compile(r"\b(?:" + "|".join(DASHED) + r")\b")
#: «Ленинa» with a Latin «a», as lists made by hand have it
LOOK_ALIKE = str.maketrans("abcehkmoptxy", "авсенкмортху")
RUSSIAN = re.compile(r"[а-я]")
ORDINAL = re.compile(r"(?<=\d)-?(?:ая|я|ый|ой|й|ое|ье|е|го|ти)\b")
DIGITS = re.compile(r"\d+")


def fold(name: str) -> str:
    """For comparing: lower case, ё → е, dashes, dots and brackets are spaces, no Latin letters in Russian words."""
    words = re.sub(r"[\W_]+", " ", name.lower().replace("ё", "е")).split()
    return " ".join(word.translate(LOOK_ALIKE) if RUSSIAN.search(word) else word for word in words)


def alphabetical(name: str) -> tuple[list[tuple[int, int, str]], str]:
    """The key of Russian order: ё beside е, numbers by their value, whatever the case. The database has no ICU."""
    parts = re.split(r"(\d+)", fold(name))
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts if part], name


def russian(field: str) -> Func:
    """Russian order in a query: ё is е."""
    return Func(F(field), Value("Ёё"), Value("Ее"), function="translate", output_field=CharField())


def fold_city(name: str) -> str:
    """A city by its folded official name, whatever nickname or surrounding («г. Химки (МО)») it is given with."""
    folded = fold(name)
    bare = AROUND_CITY.sub("", folded) or folded
    return CITY_ALIASES.get(folded) or CITY_ALIASES.get(bare) or bare


def fold_district(name: str, city: str = "") -> str:
    """A district without «район», «округ», «АО»; Moscow's okrugs are their abbreviations however they are written."""
    words = fold(name).split()
    if words and words[0] in OKRUGS:  # «ЦАО (Центральный АО)»
        return words[0]
    bare = " ".join(word for word in words if word not in DISTRICT_WORDS) or " ".join(words)
    return MOSCOW.get(bare, bare) if fold(city) == "москва" else bare


@dataclass(frozen=True, slots=True)
class StreetName:
    """A street's name taken apart: «ул. 1-я Советская» is kind «улица», words «1 советская», numbers («1»)."""

    kind: str
    words: str
    numbers: tuple[str, ...]

    @property
    def key(self) -> str:
        """Equal for «Маркса Карла» and «Карла Маркса»."""
        return " ".join(sorted(self.words.split()))

    def may_be(self, other: StreetName) -> bool:
        """Not surely another street: a square is no avenue, the 1st is not the 2nd; an unknown kind may be any."""
        return self.numbers == other.numbers and (not self.kind or not other.kind or self.kind == other.kind)


def split_street(name: str) -> StreetName:
    """Take a street's name apart."""
    lower = DASHES.sub(lambda match: DASHED[match[0]], name.lower().replace("ё", "е"))
    words = fold(ORDINAL.sub("", lower)).split()
    kind, rest = _kind(words)
    return StreetName(kind, " ".join(rest), tuple(sorted(DIGITS.findall(" ".join(rest)))))


def _kind(words: list[str]) -> tuple[str, list[str]]:
    """The kind stands first or last; «Набережная улица» is a street called Набережная."""
    if len(words) < 2:
        return "", words
    first = "" if words[0] in ONLY_LAST else KIND_OF.get(words[0], "")
    last = KIND_OF.get(words[-1], "")
    if last and (not first or last == "улица"):
        return last, words[:-1]
    return (first, words[1:]) if first else ("", words)


def in_order(rows: Iterable[Place]) -> list[Place]:
    """Cities, districts or streets, in Russian order."""
    return sorted(rows, key=lambda row: alphabetical(row.name))
