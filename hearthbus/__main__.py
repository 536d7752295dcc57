"""`python -m hearthbus`: the same as the `hearthbus` command."""

import sys

from hearthbus.cli.main import main

sys.exit(main())
