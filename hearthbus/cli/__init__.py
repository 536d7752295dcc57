"""The `hearthbus` command: one file a verb, `main` finds the verb, the other files are what verbs share.

Uses the same public client as anybody's program. Imports next to nothing here, so that `--help` stays quick.
"""

import _signal  # type: ignore[import-not-found]  # what `signal` is made of: the rest takes ten times as long to import
import sys

if sys.argv and sys.argv[0].rpartition("/")[2] in {"hearthbus", "-m"}:
    # while Python imports the command there is nothing to undo, and Ctrl-C would print where it was: `main` takes over
    _signal.signal(_signal.SIGINT, _signal.SIG_DFL)
