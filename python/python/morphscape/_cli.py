"""The command line, as the program has it: ``morphscape`` on the path after ``pip install``."""

from __future__ import annotations

import signal
import sys

from . import _morphscape


def main() -> None:
    """Runs the words after the program's name and ends the process with their exit code."""
    # The program stops by itself at Ctrl-C and keeps what is finished; Python must not be in between.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.exit(_morphscape.command_line(sys.argv[1:]))
