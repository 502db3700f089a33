"""What the fault tests bring into every Python process of an installation, from outside: this folder is first on
their PYTHONPATH, and FAULTS_FOLDER names a folder through which the test speaks to them.

armed/POINT         the next process that passes POINT removes the file and kills itself with SIGKILL
hits                a line for each process that did
deadly              a request id: whoever handles a message about it kills its process, and adds a line to `executions`
env-SERVICE         NAME=VALUE lines for the worker of SERVICE, or env-web; CWD=… is the tree it runs from

Besides, every effect of a message leaves a row in faults.effects, in the effect's own transaction: a witness that
shares nothing with the inbox.
"""

import importlib.abc
import importlib.machinery
import os
import signal
import sys
import threading
from pathlib import Path

FOLDER = Path(os.environ["FAULTS_FOLDER"]) if "FAULTS_FOLDER" in os.environ else None
DEALING = threading.local()
"""`.id` is the message this thread is dealing with."""


def passing(point):
    """This process is at a named point of the code: if that is armed, it goes no further."""
    try:
        (FOLDER / "armed" / point).unlink()
    except FileNotFoundError:
        return
    _die("hits", point)


def _die(file, word):
    with (FOLDER / file).open("a") as output:
        output.write(f"{word}\t{' '.join(sys.orig_argv[1:5])}\n")
    os.kill(os.getpid(), signal.SIGKILL)


def _doing(session, what):
    session.info.setdefault("doing", set()).add(what)


def _passes_commits():
    from sqlalchemy import event
    from sqlalchemy.orm import Session

    @event.listens_for(Session, "before_commit")
    def before(session):
        for what in sorted(session.info.get("doing", ())):
            passing(f"{what}, before the commit")

    @event.listens_for(Session, "after_commit")
    def after(session):
        for what in sorted(session.info.get("doing", ())):
            passing(f"{what}, after the commit")


def _patch_outbox(outbox):
    _passes_commits()
    publish, take_due, acknowledge = outbox.publish, outbox.take_due, outbox.acknowledge

    def watched_publish(session, *messages):
        publish(session, *messages)
        if messages:
            passing("published")
            _doing(session, "published")

    def watched_take_due(session):
        due = take_due(session)
        if due:
            passing("relayed, before it is sent")
            _doing(session, "relayed")
        return due

    def watched_acknowledge(session, *, receiver, ids):
        acknowledge(session, receiver=receiver, ids=ids)
        _doing(session, "closed")

    outbox.publish, outbox.take_due, outbox.acknowledge = watched_publish, watched_take_due, watched_acknowledge


def _patch_inbox(inbox):
    take_effect, take_acknowledgements = inbox._take_effect, inbox.take_acknowledgements

    def watched_take_effect(database, handlers, envelope):
        DEALING.id = envelope.id
        return take_effect(database, handlers, envelope)

    def watched_take_acknowledgements(session):
        taken = take_acknowledgements(session)
        if taken:
            passing("acknowledged, before it is sent")
            _doing(session, "acknowledged")
        return taken

    inbox._take_effect, inbox.take_acknowledgements = watched_take_effect, watched_take_acknowledgements


def _patch_tasks(tasks):
    from sqlalchemy import text

    hears, tick = tasks.Tasks.hears, tasks.Tasks.tick
    witness = text("INSERT INTO faults.effects (receiver, message_id) VALUES (:receiver, :message_id)")

    def watched_hears(self, message):
        register = hears(self, message)

        def watch(handler):
            def watched(session, message, *, now):
                passing("claimed")
                deadly = FOLDER / "deadly"
                if deadly.exists() and deadly.read_text() == str(getattr(message, "request_id", "")):
                    _die("executions", type(message).__name__)
                handler(session, message, now=now)
                session.execute(witness, {"receiver": self.service, "message_id": DEALING.id})
                _doing(session, "acted")

            register(watched)
            return handler

        return watch

    def watched_tick(self, deadline):
        register = tick(self, deadline)

        def watch(sweep):
            def watched(session, *, now):
                done = sweep(session, now=now)
                if done:
                    _doing(session, "ticked")
                return done

            register(watched)
            return sweep

        return watch

    tasks.Tasks.hears, tasks.Tasks.tick = watched_hears, watched_tick


PATCHES = {"shared.bus.outbox": _patch_outbox, "shared.bus.inbox": _patch_inbox, "shared.tasks": _patch_tasks}


class _PatchAfterImport(importlib.abc.MetaPathFinder):
    """Patches a module the moment it is imported, so that whoever imports names from it gets the patched ones."""

    def find_spec(self, name, path, target=None):
        patch = PATCHES.get(name)
        if patch is None:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        execute = spec.loader.exec_module

        def execute_and_patch(module):
            execute(module)
            patch(module)

        spec.loader.exec_module = execute_and_patch
        return spec


PROGRAMS = {"web": "bianmin.gateway:make_app"} | {
    service: f"services.{service}.worker:celery" for service in ("intake", "dispatch", "finance", "hr")
}


def _become_what_was_asked():
    """A process that is to run with another clock or from another tree starts anew as that."""
    for name, program in PROGRAMS.items():
        asked = FOLDER / f"env-{name}"
        if program in sys.orig_argv and asked.exists() and "FAULTS_BECAME" not in os.environ:
            wanted = dict(line.split("=", 1) for line in asked.read_text().splitlines())
            os.chdir(wanted.pop("CWD", "."))
            os.execve(sys.executable, sys.orig_argv, {**os.environ, **wanted, "FAULTS_BECAME": "yes"})


if FOLDER is not None:
    _become_what_was_asked()
    sys.meta_path.insert(0, _PatchAfterImport())
