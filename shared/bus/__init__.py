"""The bus: how one service tells another a fact, so that it is lost never and takes effect once.

publish   writes one outbox row for each receiver in the caller's transaction          (outbox.py)
relay     sends due rows as Celery tasks, straight to the receiver's queue               (pump.py)
sign      each message is signed by the service that says it, and checked before it is heard  (signature.py)
receive   claims the message in the inbox in the same transaction as its effect          (inbox.py)
acknowledge  the receiver tells the sender in batches; only that closes the outbox row   (pump.py)
send again   what stays unacknowledged is sent again, ever more slowly, and not into a long queue  (outbox.py)
remember  every id for 400 days, and nothing that is open is ever deleted               (purge.py)

Beside it a worker acts on deadlines (ticker.py) and does errands outside the house (runners.py).
The broker is expendable: whatever it loses is sent again, whatever it doubles is claimed once.
"""
