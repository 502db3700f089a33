"""The configuration for bigger installations, run with Debian's pgBackRest and the PostgreSQL it knows."""

import os
import shutil
import subprocess
from pathlib import Path

from bianmin.backup.programs import Programs, own
from bianmin.engines import server_user
from tests.debian import needs

CONFIGURATION = Path(__file__).parent.parent.parent / "deploy/backup/pgbackrest.conf"
SECRET = "欧阳建国 13800138000"


def test_an_encrypted_backup_and_the_log_pushed_since_restore_the_last_commit(place: Path) -> None:
    pgbackrest = needs("pgbackrest", "pgbackrest")
    needs("pg_ctlcluster", "postgresql")
    programs = Programs(max(Path("/usr/lib/postgresql").glob("*/bin")))
    cluster, repository = place / "pg", place / "repository"
    shutil.copy(CONFIGURATION, place / "pgbackrest.conf")
    folders = [cluster, repository, *(place / name for name in ("log", "lock", "spool", "run"))]
    for folder in folders:
        folder.mkdir(mode=0o700)
    own(*folders)
    here = {
        "PGBACKREST_CONFIG": str(place / "pgbackrest.conf"),
        "PGBACKREST_STANZA": "bianmin",
        "PGBACKREST_REPO1_PATH": str(repository),
        "PGBACKREST_REPO1_CIPHER_PASS": "known to the safe alone",
        "PGBACKREST_PG1_PATH": str(cluster),
        "PGBACKREST_PG1_SOCKET_PATH": str(place / "run"),
        "PGBACKREST_LOG_PATH": str(place / "log"),
        "PGBACKREST_LOCK_PATH": str(place / "lock"),
        "PGBACKREST_SPOOL_PATH": str(place / "spool"),
    }
    where = f"host={place / 'run'} user=bianmin dbname="

    def back(*arguments: str) -> None:
        done = subprocess.run(
            [pgbackrest, *arguments],
            env={**os.environ, **here},
            user=server_user(),
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def server(act: str, *arguments: str) -> None:
        log = ("--log", str(place / "log" / "postgres")) if act == "start" else ()
        programs.run("pg_ctl", act, "-w", "-D", str(cluster), *log, *arguments, env=here, as_server=True)

    def ask(database: str, question: str) -> str:
        return programs.run("psql", "--no-psqlrc", "-At", where + database, "-c", question).strip()

    programs.run("initdb", "-D", str(cluster), "--username=bianmin", "--auth=trust", "--encoding=UTF8", as_server=True)
    options = f"-c listen_addresses= -c unix_socket_directories={place / 'run'}"
    archiving = f"{options} -c archive_mode=on -c archive_command='{pgbackrest} archive-push %p'"
    server("start", "-o", archiving)
    ask("postgres", "CREATE DATABASE bianmin")
    back("stanza-create")
    back("check")
    back("backup", "--type=full")
    ask("bianmin", f"CREATE TABLE owners AS SELECT '{SECRET}' AS name FROM generate_series(1, 1000)")
    back("backup", "--type=incr")
    ask("bianmin", "INSERT INTO owners VALUES ('the last commit')")
    ask("bianmin", "SELECT pg_switch_wal()")
    server("stop", "-m", "fast")  # the archiver pushes what is left before it ends
    shutil.rmtree(cluster)
    cluster.mkdir(mode=0o700)
    own(cluster)
    assert not [path for path in repository.rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()]
    back("restore")
    server("start", "-o", options)
    assert ask("bianmin", "SELECT count(*) FROM owners") == "1001"
    server("stop", "-m", "fast")


def test_nothing_of_the_key_is_in_the_configuration() -> None:
    assert "cipher-type=aes-256-cbc" in CONFIGURATION.read_text()
    assert "\nrepo1-cipher-pass" not in CONFIGURATION.read_text()
