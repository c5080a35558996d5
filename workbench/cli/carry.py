"""Commands that carry a run from one computer to another."""

import argparse

from workbench.cli.commands import print_out
from workbench.session import Session


def bundle(session: Session, options: argparse.Namespace) -> int:
    """Write a run as one file."""
    print_out(None, False, str(session.bundle(options.run, options.file)))
    return 0


def open_bundle(session: Session, options: argparse.Namespace) -> int:
    """Take a bundled run into the log."""
    run = session.details(session.open_bundle(options.file)).summary
    print_out(None, False, f"{run.name} ({run.id}) was taken into the log.")
    return 0
