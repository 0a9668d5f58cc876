#!/usr/bin/env python
"""Django's entry point, with two doors of our own in front of it.

`up` and `services` run the embedded PostgreSQL and Valkey, so they must work before Django can
load. Every other command that needs a database first makes sure that the embedded ones answer.
"""

import os
import select
import sys

USAGE_ERROR = 2
INTERRUPTED = 130


def main() -> int:
    """Run the command; a reader that closed our output early, such as `head`, ends it quietly."""
    try:
        code = run()
        sys.stdout.flush()
    except BrokenPipeError:
        if not _is_reader_gone():
            raise
        _say_no_more()
        return 0
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:
        from xsocial.outages import in_words

        if "--traceback" in sys.argv or not (words := in_words(error)):
            raise
        print(f"manage.py: {words}", file=sys.stderr)
        _say_no_more()
        return USAGE_ERROR
    return code


def _say_no_more() -> None:
    """What is left in the buffer goes nowhere, so that the interpreter's last flush succeeds."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _is_reader_gone() -> bool:
    """Whether it is our own output that broke, not a pipe somewhere inside a command."""
    output = select.poll()
    output.register(sys.stdout.fileno(), 0)
    return any(state & select.POLLERR for _, state in output.poll(0))


def run() -> int:
    """Hand the command line to whom it belongs; returns the exit code."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "xsocial.settings.development")
    from xsocial.services import cli

    if cli.handles(sys.argv):
        return cli.main(sys.argv[1:])
    cli.ensure_services(sys.argv)

    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
    return 0


if __name__ == "__main__":
    sys.exit(main())
