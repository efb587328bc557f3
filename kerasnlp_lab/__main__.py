"""`python -m kerasnlp_lab` is `kerasnlp-lab`."""

from kerasnlp_lab.cli.main import main

if __name__ == "__main__":
    main()
