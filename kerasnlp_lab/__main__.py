"""The entry point of `kerasnlp-lab` and of `python -m kerasnlp_lab`."""

import signal

from kerasnlp_lab.cli.interrupts import exit_on_interrupt


def main() -> None:
    """Runs the command line and exits. Ctrl-C ends it cleanly, even during the imports."""
    with exit_on_interrupt():
        from kerasnlp_lab.cli.main import main as run
    try:
        run()
    finally:  # all is printed; Ctrl-C during Python's exit should add no traceback
        if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
            signal.signal(signal.SIGINT, signal.SIG_DFL)


if __name__ == "__main__":
    main()
