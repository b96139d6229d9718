"""A Postgres server of its own, in a temporary folder and on a free port of 127.0.0.1, with TLS and three roles.

The argument is the folder with `initdb` and `postgres`. Prints READY and where it is, as JSON; ends when its standard input closes.
"""

import json
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

binaries = sys.argv[1]
folder = tempfile.mkdtemp(prefix="tool-connect-postgres-")
data = os.path.join(folder, "data")


def user():
    """Postgres refuses to run as root: Debian's package brings a user for it."""
    return pwd.getpwnam("postgres") if os.geteuid() == 0 else None


def run_as():
    account = user()
    if account is None:
        return {}
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def program(name):
    return os.path.join(binaries, name)


def call(*command, **more):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=folder, **more)
    if done.returncode != 0:
        sys.exit(f"{command[0]} failed:\n{done.stdout.decode(errors='replace')}")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def certificate(path):
    """A certificate for this machine, and the authority that vouches for it: one that signs itself may not be both."""
    new = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    authority = os.path.join(folder, "authority")
    call(*new, "-subj", "/CN=authority", "-keyout", authority + ".key", "-out", authority + ".crt")
    call(
        *new, "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
        "-addext", "basicConstraints=critical,CA:FALSE", "-CA", authority + ".crt", "-CAkey", authority + ".key",
        "-keyout", path + ".key", "-out", path + ".crt",
    )  # fmt: skip
    for end in (".key", ".crt"):
        if user():
            os.chown(path + end, user().pw_uid, user().pw_gid)
    os.chmod(path + ".key", 0o600)


def main():
    passwords = {role: secrets.token_hex(8) for role in ("admin", "reader", "writer")}
    if user():
        os.chown(folder, user().pw_uid, user().pw_gid)
    secret = os.path.join(folder, "password")
    with open(secret, "w", encoding="utf-8") as file:
        file.write(passwords["admin"])
    os.chmod(secret, 0o644)
    certificate(os.path.join(folder, "server"))
    call(program("initdb"), "--pgdata", data, "--username=admin", "--auth=scram-sha-256", "--pwfile", secret, "--no-sync", **run_as())
    os.remove(secret)

    port = free_port()
    options = {
        "listen_addresses": "127.0.0.1", "port": port, "unix_socket_directories": folder, "fsync": "off", "max_connections": 60,
        "ssl": "on", "ssl_cert_file": os.path.join(folder, "server.crt"), "ssl_key_file": os.path.join(folder, "server.key"),
    }  # fmt: skip
    settings = [f"--{name}={value}" for name, value in options.items()]
    server = subprocess.Popen(
        [program("postgres"), "-D", data, *settings], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        cwd=folder, **run_as(),
    )  # fmt: skip
    try:
        statements = [
            "CREATE DATABASE shop",
            f"CREATE ROLE reader LOGIN PASSWORD '{passwords['reader']}'",
            f"CREATE ROLE writer LOGIN PASSWORD '{passwords['writer']}'",
            "GRANT CREATE ON DATABASE shop TO writer",
        ]
        environment = {**os.environ, "PGPASSWORD": passwords["admin"]}
        connect = ["-h", "127.0.0.1", "-p", str(port), "-U", "admin", "-d", "postgres"]
        for _ in range(300):
            if subprocess.run([program("pg_isready"), *connect], stdout=subprocess.DEVNULL, check=False).returncode == 0:
                break
            time.sleep(0.1)
        for statement in statements:
            call(program("psql"), *connect, "--no-psqlrc", "-v", "ON_ERROR_STOP=1", "-c", statement, env=environment)
        place = f"@127.0.0.1:{port}/shop"
        ready = {role: f"postgres://{role}:{password}{place}" for role, password in passwords.items()}
        with open(os.path.join(folder, "authority.crt"), encoding="utf-8") as file:
            ready["authority"] = file.read()
        print("READY", json.dumps(ready), flush=True)
        sys.stdin.read()
    finally:
        # Its fast way: it does not wait for those who are connected.
        server.send_signal(signal.SIGINT)
        server.wait()


try:
    main()
finally:
    shutil.rmtree(folder, ignore_errors=True)
