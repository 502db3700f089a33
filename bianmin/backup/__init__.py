"""Backups of an installation: taken, checked by restoring them, kept for as long as the rule says, and restored.

A backup is a physical copy of the whole database cluster with the write-ahead log (WAL) that makes it consistent. It
restores to its own moment; with the WAL that `pg_receivewal` has written since, to any later one. docs/recovery.md
says what to do when.
"""
