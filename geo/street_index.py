"""The streets of one city, ready to be searched: WRatio over the likely ones. Pure: rows in, ids and scores out.

WRatio costs about 2 µs a name, so a small city is compared whole. In a large one the typed words first choose the words
of the city that contain them, begin alike or are alike as a whole (cheap, and there are far fewer words than streets),
and only the streets with the best such words are compared.
"""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from rapidfuzz import fuzz, process

from geo.names import StreetName, split_street

CUTOFF = 60  # WRatio; below, nobody recognises what he typed
WHOLE = 1500  # so many names are compared without choosing
CHOSEN = 400
WORDS = 40  # alike words of the city for each typed one
KEPT = 40
LETTERS = 16  # of the beginnings of words: a list of them for each number of letters is held in memory


@dataclass(frozen=True, slots=True)
class Hit:
    """A street like the typed one; `score` 0–100; `same`: the name itself, in another order of words at most."""

    street_id: int
    score: int
    same: bool
    name: StreetName
    kind_fits: bool

    @property
    def rank(self) -> tuple[bool, int, bool, str]:
        """For sorting, best first."""
        return not self.same, -self.score, not self.kind_fits, self.name.words


class StreetIndex:
    """Searchable names of a city's streets. Built once, then only read: threads may share it."""

    def __init__(self, rows: Iterable[tuple[int, str]]) -> None:
        self.ids = array("i")
        self.names: list[StreetName] = []
        self.words: dict[str, array[int]] = {}
        self.by_key: dict[str, list[int]] = defaultdict(list)
        for place, (street_id, text) in enumerate(rows):
            name = split_street(text)
            self.ids.append(street_id)
            self.names.append(name)
            self.by_key[name.key].append(place)
        self.texts = [name.words for name in self.names]
        if len(self.ids) > WHOLE:
            self._index_words()

    def __len__(self) -> int:
        return len(self.ids)

    def same(self, text: str) -> list[Hit]:
        """The streets called exactly so; of several kinds only the typed one, if one was typed."""
        typed = split_street(text)
        return [self._hit(place, 100, typed) for place in self._same(typed)]

    def search(self, text: str) -> list[Hit]:
        """Streets like `text`, best first; those equally good in no particular order."""
        typed = split_street(text)
        if not typed.words:
            return []
        large = len(self.ids) > WHOLE
        texts = {place: self.texts[place] for place in self._chosen(typed.words)} if large else self.texts
        found = process.extract(typed.words, texts, scorer=fuzz.WRatio, score_cutoff=CUTOFF, limit=3 * KEPT)
        scores = {place: _honest(name, typed.words, score) for name, score, place in found}
        best = sorted(scores, key=lambda place: (-scores[place], self.texts[place]))[:KEPT]
        hits = {place: self._hit(place, scores[place], typed) for place in best if scores[place] >= CUTOFF}
        for place in self._same(typed):
            hits[place] = self._hit(place, 100, typed)
        return sorted(hits.values(), key=lambda hit: hit.rank)

    def _same(self, typed: StreetName) -> list[int]:
        places = [place for place in self.by_key.get(typed.key, ()) if typed.may_be(self.names[place])]
        exact = [place for place in places if self.names[place].kind == typed.kind]
        return exact or places

    def _hit(self, place: int, score: int, typed: StreetName) -> Hit:
        name = self.names[place]
        same = name.key == typed.key
        return Hit(self.ids[place], 100 if same else score, same, name, typed.kind in {"", name.kind})

    def _index_words(self) -> None:
        places: dict[str, array[int]] = {}
        for place, text in enumerate(self.texts):
            for word in set(text.split()):
                places.setdefault(word, array("i")).append(place)
        self.words = places
        self.vocabulary = list(places)
        self.beginnings: dict[int, dict[str, list[str]]] = {}

    def _chosen(self, typed: str) -> list[int]:
        """The streets with the words most like the typed ones."""
        votes: Counter[int] = Counter()
        for word in set(typed.split()[:8]):
            best: dict[int, int] = {}
            for alike, score in self._alike(word).items():
                for place in self.words[alike]:
                    best[place] = max(score, best.get(place, 0))
            votes.update(best)
        return [place for place, _score in votes.most_common(CHOSEN)]

    def _alike(self, word: str) -> dict[str, int]:
        """Words of the city like `word`, with a score."""
        if word in self.words and len(word) < 3:
            return {word: 100}
        found = {other: 95 for other in self.vocabulary if word in other} if len(word) > 1 else {}
        for other, score, _place in process.extract(
            word, self.vocabulary, scorer=fuzz.ratio, score_cutoff=CUTOFF, limit=WORDS
        ):
            found[other] = max(round(score), found.get(other, 0))
        beginnings = self._beginnings(min(len(word), LETTERS))
        for beginning, score, _place in process.extract(
            word[:LETTERS], beginnings.keys(), scorer=fuzz.ratio, score_cutoff=CUTOFF, limit=WORDS
        ):
            for other in beginnings[beginning]:
                found[other] = max(round(score * 0.9), found.get(other, 0))
        return found

    def _beginnings(self, length: int) -> dict[str, list[str]]:
        """The words of the city by their first `length` letters."""
        if length not in self.beginnings:
            cut: dict[str, list[str]] = defaultdict(list)
            for word in self.vocabulary:
                cut[word[:length]].append(word)
            self.beginnings[length] = dict(cut)
        return self.beginnings[length]


def _honest(name: str, typed: str, score: float) -> int:
    """WRatio finds «Мол» in «Комсомольская»: a name much shorter than the typed text counts by its whole words only."""
    if len(name) * 10 < len(typed) * 7 and not set(name.split()) <= set(typed.split()):
        return round(fuzz.ratio(name, typed))
    return round(score)
