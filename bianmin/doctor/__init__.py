"""`bianmin doctor`: what is wrong with an installation, each fault in a sentence that says what to do.

`patient.py` is what is looked at, `checks.py` the one list of checks, `command.py` the command.
"""
