"""An archive of PostgreSQL as one file, by its own programs pg_dump, pg_restore and psql."""

import os
import re
import shutil
import subprocess
from contextlib import contextmanager, suppress

import peewee as pw
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from domain.errors import Refused

NAME = "portale.dump"
TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() ORDER BY tablename"


@contextmanager
def snapshot(url, target, query):
    """See engines. pg_dump reads the very state that is counted here."""
    with _connected(url) as database:
        _refuse_older_program(database)
        database.begin("REPEATABLE READ")
        [(state,)] = database.execute_sql("SELECT pg_export_snapshot()")
        rows = _count(database)
        with open(target, "xb") as stream:
            _run(url, "pg_dump", "--format=custom", f"--snapshot={state}", stdout=stream)
            os.fsync(stream.fileno())
        with database.connection().cursor(name="files") as cursor:
            cursor.execute(query(rows))
            yield rows, cursor


def count(path):
    """{table: rows} of a copy, from reading it to its end; ValueError where it is damaged."""
    program = _program("pg_restore")
    command = [program, "--data-only", "--file=-", path]
    errors = subprocess.PIPE
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors) as reading:
        rows = _counted(reading.stdout)
        complaint = reading.stderr.read().decode(errors="replace")
    if reading.returncode:
        raise ValueError(complaint)
    return rows


def _counted(lines):
    rows, table = {}, None
    for line in lines:
        if table is None:
            begun = re.match(rb'COPY (?:"?\w+"?\.)?"?(\w+)"? \(', line)
            if begun:
                table = begun[1].decode()
                rows[table] = 0
        elif line == b"\\.\n":
            table = None
        else:
            rows[table] += 1
    return rows


def is_empty(url):
    """Whether the database at `url` has no tables yet."""
    with _connected(url) as database:
        return not database.execute_sql(TABLES).fetchall()


def restore(path, url, statements):
    """Put a copy in place in one transaction, together with `statements`.

    psql gets the COMMIT from here, and only after pg_restore has given all of it: whoever
    dies in between leaves an empty database.
    """
    source = [_program("pg_restore"), "--no-owner", "--no-privileges", "--file=-", path]
    options = ["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--output=/dev/null"]
    target = [_program("psql"), *options, *_address(url)]
    pipe = subprocess.PIPE
    with (
        subprocess.Popen(target, stdin=pipe, stderr=pipe, env=_environment(url)) as psql,
        subprocess.Popen(source, stdout=pipe) as reading,
    ):
        try:
            psql.stdin.write(b"BEGIN;\n")
            shutil.copyfileobj(reading.stdout, psql.stdin)
            if reading.wait():
                raise Refused("pg_restore non ha letto la copia fino in fondo.")
            psql.stdin.write(b"RESET search_path;\n")  # pg_dump has emptied it
            psql.stdin.writelines(f"{statement};\n".encode() for statement in statements)
            psql.stdin.write(b"COMMIT;\n")
        except BrokenPipeError:  # it has complained
            pass
        except BaseException:
            psql.kill()
            with suppress(BrokenPipeError):
                psql.stdin.close()
            raise
        complaint = psql.communicate()[1].decode(errors="replace")
    if psql.returncode:
        raise Refused(f"PostgreSQL non ha accettato la copia: {complaint.strip()}")


def size(url):
    """How many bytes the archive takes."""
    with _connected(url) as database:
        return database.execute_sql("SELECT pg_database_size(current_database())").fetchone()[0]


def version(url):
    with _connected(url) as database:
        return _major(database)


# -- Its programs --------------------------------------------------------------------------


def _refuse_older_program(database):
    """pg_dump reads servers of its own release and older ones."""
    told = subprocess.run([_program("pg_dump"), "--version"], capture_output=True, text=True)
    own = int(re.search(r"(\d+)[.\w]*", told.stdout)[1])
    server = _major(database)
    if own < server:
        raise Refused(
            f"pg_dump è della versione {own} e il server PostgreSQL della {server}: installare "
            f"«postgresql-client-{server}»."
        )


def _program(name):
    path = shutil.which(name)
    if path is None:
        raise Refused(
            f"Manca il programma {name} di PostgreSQL: installare il pacchetto "
            "«postgresql-client», della stessa versione del server."
        )
    return path


def _run(url, name, *arguments, stdout):
    done = subprocess.run(
        [_program(name), *arguments, *_address(url)],
        stdout=stdout, stderr=subprocess.PIPE, env=_environment(url), text=True,
    )  # fmt: skip
    if done.returncode:
        raise Refused(f"{name} non è riuscito: {done.stderr.strip()}")


def _address(url):
    """The address as an argument, without the password: all users see arguments."""
    return [f"--dbname={make_conninfo(**{**conninfo_to_dict(url), 'password': None})}"]


def _environment(url):
    password = conninfo_to_dict(url).get("password")
    return {**os.environ, "PGPASSWORD": password} if password else dict(os.environ)


# -- Its tables ----------------------------------------------------------------------------


@contextmanager
def _connected(url):
    # Its transaction waits while pg_dump works, which may take longer than a server allows.
    patient = "-c idle_in_transaction_session_timeout=0"
    database = pw.PostgresqlDatabase(url, prefer_psycopg3=True, connect_timeout=5, options=patient)
    with database.connection_context():
        yield database


def _major(database):
    return database.server_version // 10_000


def _count(database):
    tables = [table for (table,) in database.execute_sql(TABLES).fetchall()]
    query = 'SELECT COUNT(*) FROM "{}"'
    return {table: database.execute_sql(query.format(table)).fetchone()[0] for table in tables}
