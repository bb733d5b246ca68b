"""`python -m hornbeam info`: what runs here."""

from __future__ import annotations

import argparse

from hornbeam._info import show_config


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m hornbeam", description=__doc__)
    parser.add_argument("command", choices=["info"], help="info: print the configuration")
    parser.parse_args()
    show_config()


if __name__ == "__main__":
    main()
