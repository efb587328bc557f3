"""`python -m kerasnlp_lab`: the command line where its script is not on the path."""

from kerasnlp_lab.cli.main import main

if __name__ == "__main__":
    main()
