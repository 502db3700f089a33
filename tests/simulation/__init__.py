"""Deterministic simulation: the four services, the bus and the people in one thread, over a real PostgreSQL.

A seed draws the traffic, the order of every step and every fault; the same seed plays the same run again, event by
event. `python -m tests.simulation SEED` plays one and prints it, `make simulate` plays a thousand.

house.py      the four services in this process: HTTP, handlers, pumps, sweeps; the clock
broker.py     a broker that loses, doubles, reorders, forgets
hazard.py     what strikes between two SQL statements: a crash, a busy table, a cut connection
chance.py     ids and tokens drawn from the seed
company.py    a small company, founded once and copied for each seed
people.py     what the people do: requests from the call to the last revisit, refunds, the month's end
run.py        the scheduler, and a run from faults to quiet
checks.py     what must hold after any step, and what must hold when all is quiet
"""
