"""The one error type of the sandbox: an answer with `ok: false`, worded as the real Bot API words it."""

from __future__ import annotations

from typing import Any

JSON = dict[str, Any]


class ApiError(Exception):
    """A refusal sent to the caller.

    `code` is the HTTP status and the `error_code` field, `description` the sentence clients match on,
    `parameters` the optional extra (`retry_after`, `migrate_to_chat_id`).
    """

    def __init__(self, code: int, description: str, parameters: JSON | None = None) -> None:
        super().__init__(f"{code} {description}")
        self.code = code
        self.description = description
        self.parameters = parameters

    def as_json(self) -> JSON:
        """The response body."""
        body: JSON = {"ok": False, "error_code": self.code, "description": self.description}
        if self.parameters:
            body["parameters"] = self.parameters
        return body


def bad_request(text: str) -> ApiError:
    """400: the request itself is wrong and will stay wrong."""
    return ApiError(400, f"Bad Request: {text}")


def forbidden(text: str) -> ApiError:
    """403: the person or the chat does not want this bot."""
    return ApiError(403, f"Forbidden: {text}")


def conflict(text: str) -> ApiError:
    """409: another receiver of updates exists."""
    return ApiError(409, f"Conflict: {text}")


def too_many_requests(seconds: int) -> ApiError:
    """429: wait `seconds`, then repeat."""
    return ApiError(429, f"Too Many Requests: retry after {seconds}", {"retry_after": seconds})


class SandboxError(Exception):
    """A mistake in the use of the control API (unknown person, no such button); `status` is the HTTP status."""

    def __init__(self, text: str, status: int = 400) -> None:
        super().__init__(text)
        self.status = status
