"""Whatever is sent, the server answers in JSON and stays alive."""

import http.client
import json
import random

from bots.sandbox.api.call import METHODS

ODD_KEYBOARDS = [{"inline_keyboard": [[{}]]}, {"keyboard": [[None]]}, {"inline_keyboard": [1]}]
VALUES = [None, "", "abc", "0", -1, 1, 1001, -1001, 2**70, 1.5, True, [], {}, ["x"], [1], [{}], {"type": "photo"}]
VALUES += ["[", "{}", "[[]]", [{"type": "photo", "media": "x"}] * 2, {"message_id": "x"}, "<b>", "HTML", *ODD_KEYBOARDS]
VALUES += ["\ud800", "\0", "я" * 5000, "attach://x", "@LOGS", [{"offset": 9, "length": 9}], '{"text": "\\ud800"}']
NAMES = [
    "chat_id",
    "from_chat_id",
    "text",
    "caption",
    "parse_mode",
    "entities",
    "reply_markup",
    "message_id",
    "message_ids",
    "media",
    "photo",
    "document",
    "sticker",
    "commands",
    "scope",
    "language_code",
    "url",
    "secret_token",
    "offset",
    "limit",
    "allowed_updates",
    "reply_parameters",
    "duration",
    "callback_query_id",
    "file_id",
    "user_id",
    "latitude",
    "longitude",
    "phone_number",
    "first_name",
    "action",
    "name",
    "description",
    "caption_entities",
]


def test_rubbish_is_refused_in_json(sb, chat):
    dice = random.Random(7)
    methods = [*sorted(set(METHODS) - {"setwebhook"}), "getupdates"]
    connection = http.client.HTTPConnection(sb.host, sb.port, timeout=5)
    path = f"/bot{sb.token('master')}/"
    for _ in range(1500):
        params = {name: dice.choice(VALUES) for name in dice.sample(NAMES, 9)}
        params.setdefault("chat_id", 1001)
        connection.request(
            "POST", path + dice.choice(methods), json.dumps(params), {"Content-Type": "application/json"}
        )
        answer = json.loads(connection.getresponse().read())
        assert answer["ok"] or answer["error_code"] in (400, 403, 404), answer
    connection.close()
    chat.sends("still here")
    assert sb.client().calls(status=500) == []
