"""The command line, as the program has it: ``morphscape`` on the path after ``pip install``."""

from __future__ import annotations

import os
import signal
import sys
import tempfile

from . import _morphscape


def main() -> None:
    """Runs the words after the program's name and ends the process with their exit code."""
    # The program stops by itself at Ctrl-C and keeps what is finished; Python must not be in between.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    # Where this is not set, as on a server, Mesa prints an error of its own for each adapter looked at.
    if sys.platform == "linux" and not os.path.isabs(os.environ.get("XDG_RUNTIME_DIR", "")):
        os.environ["XDG_RUNTIME_DIR"] = tempfile.gettempdir()
    sys.exit(_morphscape.command_line(sys.argv[1:]))
