"""Channel posts that are due together become one message."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from fieldservice.outbox.models import Notification

#: lines in one post; longer ones are no longer read
LINES = 15


def bundle(rows: Sequence[Notification]) -> list[list[Notification]]:
    """Rows grouped into messages, the order of first rows kept: one each, but posts of one channel together."""
    groups: list[list[Notification]] = []
    open_posts: defaultdict[int, list[Notification]] = defaultdict(list)
    for row in rows:
        if row.chat_id is None or row.edits_key or row.master_id or row.staff_id:
            groups.append([row])
            continue
        post = open_posts[row.chat_id]
        if not post or len(post) >= LINES:
            post = open_posts[row.chat_id] = []
            groups.append(post)
        post.append(row)
    return groups
