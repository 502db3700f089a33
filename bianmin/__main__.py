"""`python -m bianmin` is `bianmin`."""

from bianmin.cli import main

main()
