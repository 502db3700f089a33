"""The command people type: it starts the processes and talks to the services over HTTP; it imports none of them."""
