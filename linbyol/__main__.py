"""`python -m linbyol` is `linbyol`."""

from linbyol.cli import main

if __name__ == "__main__":
    main()
