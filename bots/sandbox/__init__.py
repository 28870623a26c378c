"""A local Telegram: Bot API server over HTTP, a test client, a web page with phones. Needs only aiohttp."""

from .client import SandboxClient
from .sandbox import Sandbox

__all__ = ["Sandbox", "SandboxClient"]
