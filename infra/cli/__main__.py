"""`python -m infra.cli` is the `greenroom` command."""

import sys

from infra.cli.main import main

sys.exit(main())
