"""Run the measurement: `python -m benchmarks.ingress`."""

import sys

from benchmarks.ingress.run import main

sys.exit(main())
