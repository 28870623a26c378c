#!/usr/bin/env python
"""Django's command line; starts the embedded servers first where no DATABASE_URL / REDIS_URL is set."""

import os
import sys

NO_SERVERS = {"help", "--help", "-h", "version", "--version", "texts", "makemessages", "startapp", "startproject"}


def main() -> None:
    """Run one command."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fieldservice.settings")
    try:
        from django.core.exceptions import ImproperlyConfigured
        from django.core.management import execute_from_command_line
    except ImportError:
        sys.exit("Django is not installed here. Run `bash ops/bootstrap.sh`, then use `.venv/bin/python manage.py …`.")
    from fieldservice import embedded

    try:
        if len(sys.argv) > 1 and sys.argv[1] not in NO_SERVERS:
            import fieldservice.settings  # noqa: F401 - reads .env, so that `needed()` knows

            started = embedded.start(embedded.needed())
            if started:
                print(
                    f"Started {' and '.join(sorted(started))} in .embedded "
                    "(stop: python -m fieldservice.embedded stop).",
                    file=sys.stderr,
                )
        execute_from_command_line(sys.argv)
    except (ImproperlyConfigured, embedded.EmbeddedError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
