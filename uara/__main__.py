"""``python -m uara``: the command line, where its script is not on the path."""

from uara.cli import main

if __name__ == "__main__":
    main()
