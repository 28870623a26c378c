"""The HTML dialect: what it accepts, how it refuses."""

import pytest

from bots.sandbox.entities import find_entities
from bots.sandbox.errors import ApiError
from bots.sandbox.markup import parse_html


def kinds(source):
    text, entities = parse_html(source)
    return text, [(e["type"], e["offset"], e["length"]) for e in entities]


@pytest.mark.parametrize(
    ("source", "text", "entities"),
    [
        ("plain", "plain", []),
        ("<b>a</b>c", "ac", [("bold", 0, 1)]),
        ("<strong>a</strong><em>b</em><ins>c</ins><del>d</del>", "abcd",
         [("bold", 0, 1), ("italic", 1, 1), ("underline", 2, 1), ("strikethrough", 3, 1)]),
        ("<b>a<i>b</i></b>", "ab", [("bold", 0, 2), ("italic", 1, 1)]),
        ("😀<b>x</b>", "😀x", [("bold", 2, 1)]),  # UTF-16 units
        ("  <b> x </b> ", "x", [("bold", 0, 1)]),  # trimmed
        ("&lt;b&gt; &amp; &quot; &#33; &#x41;", '<b> & " ! A', []),
        ("a &nbsp; b & c", "a &nbsp; b & c", []),  # unknown names stay, as in reality
        ("<code>x</code><pre>y</pre>", "xy", [("code", 0, 1), ("pre", 1, 1)]),
        ('<pre><code class="language-python">y</code></pre>', "y", [("pre", 0, 1)]),
        ('<span class="tg-spoiler">s</span><tg-spoiler>t</tg-spoiler>', "st", [("spoiler", 0, 1), ("spoiler", 1, 1)]),
        ("<blockquote expandable>q</blockquote>", "q", [("expandable_blockquote", 0, 1)]),
        ('<tg-emoji emoji-id="5368324170671202286">👍</tg-emoji>', "👍", [("custom_emoji", 0, 2)]),
        ("<b></b>x", "x", []),
        ("<b>x</>", "x", [("bold", 0, 1)]),
        ('<a href="https://example.org/?a=1&amp;b=2">l</a>', "l", [("text_link", 0, 1)]),
        ('<a href="not a link">l</a>', "l", []),
    ],
)  # fmt: skip
def test_good_html(source, text, entities):
    assert kinds(source) == (text, entities)


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("<br>", 'Unsupported start tag "br" at byte offset 0'),
        ("a < b", 'Unsupported start tag "" at byte offset 2'),
        ("ж<p>", 'Unsupported start tag "p" at byte offset 2'),
        ("x <b", "Unclosed start tag at byte offset 2"),
        ("<b>x", 'Can\'t find end tag corresponding to start tag "b"'),
        ("x</b>", "Unexpected end tag at byte offset 1"),
        ("<b>x</i>", 'Unmatched end tag at byte offset 4, expected "</b>", found "</i>"'),
        ("<b><i>x</b></i>", 'Unmatched end tag at byte offset 7, expected "</i>", found "</b>"'),
        ("<b>x</b", "Unclosed end tag at byte offset 4"),
        ('<a href="x', "Unclosed start tag at byte offset 0"),
        ('<a ="x">y</a>', 'Empty attribute name in the tag "a" at byte offset 0'),
        ("<a href=x/>y</a>", "Unexpected end of name token at byte offset 8"),
        ("<span>x</span>", 'Tag "span" must have class "tg-spoiler" at byte offset 0'),
        ('<tg-emoji emoji-id="x">y</tg-emoji>', "Invalid custom emoji identifier specified"),
        ("Иванов <ivan@mail.ru>", 'Unsupported start tag "ivan@mail.ru" at byte offset 13'),
    ],
)
def test_bad_html(source, error):
    with pytest.raises(ApiError) as caught:
        parse_html(source)
    assert caught.value.description == f"Bad Request: can't parse entities: {error}"


def test_a_link_keeps_its_address():
    assert parse_html('<a href="https://example.org/?a=1&amp;b=2">l</a>')[1][0]["url"] == "https://example.org/?a=1&b=2"


def test_the_server_finds_commands_links_and_phones():
    found = find_entities("/start@bot see https://example.org/a, @ivanov #7a +7 999 123-45-67 a@b.ru", [])
    assert [e["type"] for e in found] == ["bot_command", "url", "mention", "hashtag", "phone_number", "email"]


def test_nothing_is_found_inside_code():
    text, entities = parse_html("<code>+7 999 123-45-67</code>")
    assert [e["type"] for e in find_entities(text, entities)] == ["code"]
