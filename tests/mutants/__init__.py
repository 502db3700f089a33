"""Guards taken away one at a time: each must be missed by a test, or nothing proves that it guards.

guards.py     the mutants: what is taken away, and who must notice
plugin.py     `pytest -p tests.mutants.plugin` with BIANMIN_MUTANT=name runs tests without that guard
__main__.py   `make mutants`: takes each away, prints the table, fails when nobody notices

The product has no switch for this: functions are exchanged, SQL texts replaced and triggers dropped from here.
"""
