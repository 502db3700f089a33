"""A whole month, lived by people through the HTTP APIs alone; the services do the rest.

cast.py      founds the company: sites, people, the price book
play.py      what the people do, day by day
owners.py    what the owners tell the desk
morning.py   the morning after, left in the middle of its work
quiet.py     moves the simulated clock and waits until the services have done what follows from it
result.py    what came out, on screen and as files
"""
