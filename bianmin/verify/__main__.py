"""`python -m bianmin.verify`."""

from bianmin.verify.command import main

main()
