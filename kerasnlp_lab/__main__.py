"""The command line's entry point, and `python -m kerasnlp_lab`."""

import signal

from kerasnlp_lab.cli.interrupts import exit_on_interrupt


def main() -> None:
    """Runs the command line and exits; Ctrl-C ends it cleanly from its first imports on."""
    with exit_on_interrupt():
        from kerasnlp_lab.cli.main import main as run
    try:
        run()
    finally:  # all is done, or told: Ctrl-C while Python ends needs no more words
        if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
            signal.signal(signal.SIGINT, signal.SIG_DFL)


if __name__ == "__main__":
    main()
