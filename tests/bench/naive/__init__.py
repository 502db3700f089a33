"""The same business as a team in a hurry would write it: FastAPI, one write a step, `task.delay` after the commit.

The same four roles of process, the same HTTP steps and the same messages as Bianmin, `countdown` for the two timers;
Celery with Bianmin's own settings (late acknowledgement among them), which is more than such a team would know of.
Whoever handles a message looks whether it was handled before, where there is something to look at. What is not here
is what Bianmin adds: outbox, inbox, deadlines in the database.
"""
