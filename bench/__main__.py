"""`python -m bench [--large] [--only NAME] [--recipients N] [--repeats N]`: measure, print, write `results.json`."""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

from bench.run import PARTS, Size, measure
from bench.screen import show

FOLDER = Path("var/bench")


def main() -> None:
    """Measure what the command line says."""
    parser = argparse.ArgumentParser(prog="bench", description="How fast the product is, beside others.")
    parser.add_argument("--large", action="store_true", help="also 10,000,000 recipients")
    parser.add_argument("--only", choices=PARTS, action="append", help="only this part; may be given several times")
    parser.add_argument("--recipients", type=int, help="a small run, with so many recipients everywhere")
    parser.add_argument("--repeats", type=int, default=3, help="runs of each arm")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where results.json is written")
    wanted = parser.parse_args()
    # Asked to end, end in order: what was started is stopped and removed.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    size = Size.small(wanted.recipients) if wanted.recipients else Size.large() if wanted.large else Size()
    results = measure(wanted.folder / "ground", size, wanted.only or PARTS, wanted.repeats)
    results.write(wanted.folder / "results.json")
    show(results.data())


if __name__ == "__main__":
    main()
