"""`python -m bots.sandbox --port 8081 --bot master=<token> --bot admin=<token> …`"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import sys

from .errors import SandboxError
from .limits import RateLimits
from .sandbox import DEFAULT_BOTS, add_channel, add_preset_person, serve
from .world import World


def options(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bots.sandbox", description="A local Telegram Bot API server.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: loopback only)")
    parser.add_argument("--port", type=int, default=8081, help="port, 0 for a free one (default: 8081)")
    parser.add_argument("--bot", action="append", metavar="NAME[@USERNAME]=TOKEN", help="a bot; repeat for more")
    parser.add_argument("--channel", action="append", default=[], metavar="ID=TITLE", help="a channel of all bots")
    parser.add_argument(
        "--person", action="append", default=[], metavar="ID:NAME:BOT[:LANG][:started]", help="a person's phone"
    )
    parser.add_argument("--limits", action="store_true", help="enforce Telegram's sending limits")
    parser.add_argument("--seed", default="0", help="seed of the dice of faults")
    return parser.parse_args(_negative_ids(sys.argv[1:] if arguments is None else arguments))


def _negative_ids(arguments: list[str]) -> list[str]:
    """Glue `--channel -1001=X` together: argparse would take the negative number for an option."""
    glued: list[str] = []
    for argument in arguments:
        if glued and glued[-1] == "--channel":
            glued[-1] += "=" + argument
        else:
            glued.append(argument)
    return glued


def build(args: argparse.Namespace) -> World:
    """The world the options describe. Raises SandboxError or ValueError with a readable sentence."""
    world = World(seed=args.seed, limits=RateLimits.real() if args.limits else None)
    for spec in args.bot or [f"{name}={token}" for name, token in DEFAULT_BOTS.items()]:
        name, _, token = spec.partition("=")
        name, _, username = name.partition("@")
        if not token:
            raise SandboxError(f"--bot {name}: expected NAME=TOKEN")
        world.add_bot(name, token, username)
    for spec in args.channel:
        number, _, title = spec.partition("=")
        add_channel(world, int(number), title or number)
    for spec in args.person:
        add_preset_person(world, spec)
    return world


async def run(args: argparse.Namespace, world: World) -> None:
    """Serve until SIGINT or SIGTERM."""
    runner = await serve(world, args.host, args.port)
    host, port = runner.addresses[0][:2]
    print(f"Telegram sandbox: http://{host}:{port}", flush=True)
    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):  # Windows
            asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    await stopping.wait()
    await runner.cleanup()


def main(arguments: list[str] | None = None) -> int:
    """Exit status 2 for options that make no sense, 1 for a taken port."""
    args = options(arguments)
    try:
        world = build(args)
        asyncio.run(run(args, world))
    except (SandboxError, ValueError) as error:
        print(f"sandbox: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"sandbox: cannot listen on {args.host}:{args.port}: {error.strerror}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        pass
    return 0


if __name__ == "__main__":
    sys.exit(main())
