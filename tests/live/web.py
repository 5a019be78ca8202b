"""What a web configuration asks for is done, as real curl, promtool and systemd see it.

TLS, client certificates, users, headers, limits, changes of the files, socket activation, what systemd is told, log
lines; and a set of configuration files that promtool and the exporter have to agree about.

Usage: python -m live.web
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rig.certificates import RSA, Authority, as_pkcs1, self_signed
from rig.exporter import free_port
from rig.processes import running, until
from rig.scratch import scratch

RIGHT = "$2b$11$47pEgqBKfh8Uo5V5B6QWSO73tJKEiOD1oO1HVXzfy8EYaeRftl28."
"""bcrypt of `right`."""
RENEWED = "$2b$11$YoQch8cpd7p9pw2MN0v08eBte.9ujkcMRWd3U9ULYpNlEoFR7eita"
"""bcrypt of `renewed`."""
EXAMPLE = Path(__file__).parents[2] / "exporter/examples/web-config.yml"


class Web:
    """An exporter with a web configuration."""

    def __init__(self, port: int, log: Path, process: subprocess.Popen[str], ca: Path) -> None:
        self.port = port
        self.log = log
        self.process = process
        self._ca = ca

    def curl(self, path: str = "/metrics", *options: str, scheme: str = "https") -> tuple[int, str, str]:
        """What one GET is answered: the status, the version of HTTP and the headers. Status 0: no answer."""
        done = subprocess.run(
            [
                *("curl", "--silent", "--max-time", "30", "--cacert", str(self._ca), "--output", "/dev/null"),
                *("--dump-header", "/dev/stderr", "--write-out", "%{http_code} %{http_version}"),
                *options,
                f"{scheme}://localhost:{self.port}{path}",
            ],
            capture_output=True,
            text=True,
            timeout=60,
        )
        status, version = done.stdout.split()
        return int(status), version, done.stderr.lower()

    def status(self, *options: str, scheme: str = "https") -> int:
        return self.curl("/metrics", *options, scheme=scheme)[0]


class Bench:
    """A folder with certificates, a board and configuration files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ours = Authority(folder, "ours")
        self.other = Authority(folder, "other")
        self.ours.issue("server", "DNS:localhost,IP:127.0.0.1")
        self.other.issue("server2", "DNS:localhost,IP:127.0.0.1")
        self.config = folder / "web.yml"
        self.environment = {"TALLYBOARD": str(folder / "web.board")}
        subprocess.run(["tallyboard", "inc", "web_total"], env={**os.environ, **self.environment}, check=True)

    @contextmanager
    def serving(self, config: str, *arguments: str, environment: dict[str, str] | None = None) -> Iterator[Web]:
        """An exporter that has said where it listens."""
        self.config.write_text(config)
        log, port = self.folder / f"log.{time.monotonic_ns()}", free_port()
        command = ["tallyboard", "serve", "--web.listen-address", f"127.0.0.1:{port}", "--log.level=debug"]
        command += ["--web.config.file", str(self.config), *arguments]
        with running(command, log, {**self.environment, **(environment or {})}) as process:

            def listens() -> bool:
                assert process.poll() is None, f"tallyboard serve exited {process.returncode}: {log.read_text()}"
                return "listening on" in log.read_text()

            until(listens, "tallyboard serve to listen")
            yield Web(port, log, process, self.ours.certificate)


TLS = "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n"


def protocols(bench: Bench) -> None:
    """Versions, suites, curves, HTTP/2, and plain HTTP where a handshake is due."""
    old, new = ("--tlsv1.2", "--tls-max", "1.2"), ("--tlsv1.3",)
    with bench.serving(TLS) as web:
        for options in (old, new):
            assert web.curl("/metrics", *options)[:2] == (200, "2"), options
        assert web.curl("/metrics", "--http1.1")[:2] == (200, "1.1")
        assert web.status(scheme="http") == 400
        until(lambda: "plain HTTP?" in web.log.read_text(), "a line about who speaks plain HTTP")
        assert "TLS is on" in web.log.read_text()
    with bench.serving(TLS + "  min_version: TLS13\n") as web:
        assert (web.status(*old), web.status(*new)) == (0, 200)
    with bench.serving(TLS + "  max_version: TLS12\nhttp_server_config: {http2: false}\n") as web:
        assert web.status(*new) == 0
        assert web.curl("/metrics", *old)[:2] == (200, "1.1")
    suites = "  cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384]\n  curve_preferences: [CurveP384]\n"
    with bench.serving(TLS + suites) as web:
        assert web.status(*old, "--ciphers", "ECDHE-ECDSA-AES256-GCM-SHA384") == 200
        assert web.status(*old, "--ciphers", "ECDHE-ECDSA-AES128-GCM-SHA256") == 0
        assert web.status("--curves", "P-384") == 200
        assert web.status("--curves", "X25519") == 0


def rsa(bench: Bench) -> None:
    """Certificates of RSA, which older authorities issue, of server and clients, with the key in either format."""
    authority = Authority(bench.folder, "rsa", RSA)
    _, key = authority.issue("rsa-server", "DNS:localhost,IP:127.0.0.1")
    certificate, client_key = authority.issue("rsa-client", "DNS:prometheus.example")
    trust = ("--cacert", str(authority.certificate))
    client = (*trust, "--cert", str(certificate), "--key", str(client_key))
    old, new = ("--tlsv1.2", "--tls-max", "1.2"), ("--tlsv1.3",)
    for file in (key, as_pkcs1(key)):
        config = f"tls_server_config:\n  cert_file: rsa-server.crt\n  key_file: {file.name}\n"
        with bench.serving(config) as web:
            for options in (old, new, (*old, "--ciphers", "ECDHE-RSA-AES128-GCM-SHA256")):
                assert web.status(*trust, *options) == 200, (file, options)
            # It has no certificate for these.
            assert web.status(*trust, *old, "--ciphers", "ECDHE-ECDSA-AES128-GCM-SHA256") == 0
        asking = "  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: rsa.crt\n"
        with bench.serving(config + asking + "  client_allowed_sans: [prometheus.example]\n") as web:
            for options in (old, new):
                assert web.status(*client, *options) == 200, (file, options)
                assert web.status(*trust, *options) == 0, (file, options)
    # A key that is not the certificate's is refused by name, as one of the other kind is.
    command = ["tallyboard", "serve", "--web.listen-address", "127.0.0.1:0", "--web.config.file", str(bench.config)]
    for wrong in (client_key.name, "server.key"):
        bench.config.write_text(f"tls_server_config:\n  cert_file: rsa-server.crt\n  key_file: {wrong}\n")
        done = subprocess.run(command, env={**os.environ, **bench.environment}, capture_output=True, timeout=30)
        assert (done.returncode, wrong in done.stderr.decode()) == (1, True), (done.returncode, done.stderr)
    print("RSA: both formats of a key, both versions of TLS, clients that show a certificate and none", flush=True)


def clients(bench: Bench) -> None:
    """Each type of client authentication, and alternative names that are allowed and not."""

    def showing(authority: Authority, name: str, alternatives: str) -> tuple[str, ...]:
        certificate, key = authority.issue(name, alternatives)
        return "--cert", str(certificate), "--key", str(key)

    known = showing(bench.ours, "client", "DNS:prometheus.example")
    unknown = showing(bench.other, "stranger", "DNS:prometheus.example")
    authority = "  client_ca_file: ours.crt\n"
    for kind, more, nobody, stranger in (
        ("NoClientCert", "", 200, 200),
        ("RequestClientCert", "", 200, 200),
        ("RequireAnyClientCert", "", 0, 200),
        ("RequireClientCert", "", 0, 200),
        ("VerifyClientCertIfGiven", authority, 200, 0),
        ("RequireAndVerifyClientCert", authority, 0, 0),
    ):
        with bench.serving(f"{TLS}  client_auth_type: {kind}\n{more}") as web:
            got = (web.status(), web.status(*unknown), web.status(*known))
            assert got == (nobody, stranger, 200), (kind, got)
            got = tuple(web.status(*who, "--tls-max", "1.2") for who in ((), unknown, known))
            assert got == (nobody, stranger, 200), (kind, "TLS 1.2", got)
    verify = f"{TLS}  client_auth_type: RequireAndVerifyClientCert\n{authority}"
    sans = "  client_allowed_sans: [prometheus.example, 10.1.2.3, ops@example.org, 'spiffe://example/prometheus']\n"
    with bench.serving(verify + sans) as web:
        for number, (alternatives, expected) in enumerate(
            (
                ("DNS:prometheus.example", 200),
                ("DNS:grafana.example,IP:10.1.2.3", 200),
                ("email:ops@example.org", 200),
                ("URI:spiffe://example/prometheus", 200),
                ("DNS:grafana.example", 0),
                ("DNS:x.prometheus.example", 0),
                ("IP:10.1.2.4", 0),
                ("URI:spiffe://example/prometheus/x", 0),
            )
        ):
            who = showing(bench.ours, f"san{number}", alternatives)
            assert web.status(*who) == expected, alternatives
        lines = [line for line in web.log.read_text().splitlines() if "level=warn" in line]
        assert len(lines) == 4, lines
        assert all("none of client_allowed_sans" in line for line in lines), lines
    # A certificate that is itself among the client CAs, as Go's servers take it; openssl makes it one of a CA.
    for name, extension, sans, expected in (
        ("own", "subjectAltName=DNS:prometheus.example", "", 200),
        ("named", "subjectAltName=DNS:prometheus.example", "  client_allowed_sans: [prometheus.example]\n", 200),
        ("unnamed", "subjectAltName=DNS:grafana.example", "  client_allowed_sans: [prometheus.example]\n", 0),
        ("servers", "extendedKeyUsage=serverAuth", "", 0),
    ):
        certificate, key = self_signed(bench.folder, name, extension)
        theirs = f"{TLS}  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: {name}.crt\n{sans}"
        with bench.serving(theirs) as web:
            assert web.status("--cert", str(certificate), "--key", str(key)) == expected, name
            assert (web.status(), web.status(*known)) == (0, 0), name


def users(bench: Bench) -> None:
    """Who is let in, what others hear, that a second time is quick, and that time does not tell who is a user."""
    config = f"basic_auth_users:\n  alice: {RIGHT}\nhttp_server_config:\n  headers:\n    X-Frame-Options: deny\n"
    with bench.serving(TLS + config) as web:
        assert web.status("--user", "alice:right") == 200
        for who in ((), ("--user", "alice:wrong"), ("--user", "bob:right"), ("--user", ":"), ("--oauth2-bearer", "x")):
            status, _, headers = web.curl("/metrics", *who)
            assert status == 401, who
            for line in ("www-authenticate: basic", "x-frame-options: deny"):
                assert line in headers, headers
        for path in ("/", "/-/healthy", "/-/ready", "/nothing"):
            assert web.curl(path)[0] == 401, path

        def seconds(user: str, password: str) -> float:
            begun = time.monotonic()
            web.status("--user", f"{user}:{password}")
            return time.monotonic() - begun

        wrong, unknown, known = [], [], []
        for number in range(5):
            wrong.append(seconds("alice", f"wrong{number}"))
            unknown.append(seconds("bob", f"wrong{number}"))
            known.append(seconds("alice", "right"))
        ratio = statistics.median(unknown) / statistics.median(wrong)
        kept = statistics.median(known) / statistics.median(wrong)
        print(f"time for an unknown user to a known one {ratio:.2f}; for a kept result to a comparison {kept:.2f}")
        assert 0.5 < ratio < 2
        assert kept < 0.7
    # A comparison of a minute and more, whose client hangs up at once, holds up no stop.
    with bench.serving(f"basic_auth_users:\n  alice: {RIGHT.replace('$11$', '$20$')}\n") as web:
        assert web.status("--user", "alice:right", "--max-time", "1", scheme="http") == 0
        web.process.terminate()
        assert web.process.wait(20) == 0


def headers_and_limits(bench: Bench) -> None:
    config = "http_server_config:\n  headers:\n    X-Content-Type-Options: nosniff\n    Content-Security-Policy: x\n"
    with bench.serving(config) as web:
        for path in ("/metrics", "/-/healthy", "/nothing"):
            headers = web.curl(path, scheme="http")[2]
            for line in ("x-content-type-options: nosniff", "content-security-policy: x"):
                assert line in headers, headers
    with bench.serving("rate_limit: {interval: 1h, burst: 3}\n") as web:
        assert [web.status(scheme="http") for _ in range(5)] == [200, 200, 200, 429, 429]


def changes(bench: Bench) -> None:
    """A changed certificate, a changed user, and a file that is broken for a while."""
    certificate, key = bench.folder / "live.crt", bench.folder / "live.key"
    config = "tls_server_config: {cert_file: live.crt, key_file: live.key}\nbasic_auth_users:\n  alice: "
    right, renewed = ("--user", "alice:right"), ("--user", "alice:renewed")
    theirs = ("--cacert", str(bench.other.certificate))

    def use(name: str) -> None:
        for source, target in ((f"{name}.crt", certificate), (f"{name}.key", key)):
            shutil.copy(bench.folder / source, target)

    use("server")
    with bench.serving(config + RIGHT + "\n") as web:
        assert (web.status(*right), web.status(*renewed), web.status(*right, *theirs)) == (200, 401, 0)
        bench.config.write_text(config + RENEWED + "\n")
        assert (web.status(*right), web.status(*renewed)) == (401, 200)
        use("server2")
        assert (web.status(*renewed), web.status(*renewed, *theirs)) == (0, 200)
        key.write_text("nothing\n")
        assert web.status(*renewed, *theirs) == 0
        assert "key_file" in web.log.read_text()
        use("server2")
        assert web.status(*renewed, *theirs) == 200
        bench.config.write_text("")
        assert web.status(*renewed, *theirs) == 0
        assert web.status(*theirs) == 0
    with bench.serving(f"basic_auth_users:\n  alice: {RIGHT}\n") as web:
        assert web.status(*right, scheme="http") == 200
        for broken in ("basic_auth_users: {alice: plain}\n", "users: {}\n", ""):
            bench.config.write_text(broken)
            assert [web.status(*who, scheme="http") for who in (right, right, ())] == [500] * 3, broken
        lines = [line for line in web.log.read_text().splitlines() if "level=error" in line]
        assert len(lines) == 3, lines
        assert "basic_auth_users.alice" in lines[0], lines
        assert "users" in lines[1], lines
        bench.config.write_text(f"basic_auth_users:\n  alice: {RIGHT}\n")
        assert (web.status(*right, scheme="http"), web.status(scheme="http")) == (200, 401)


def systemd(bench: Bench) -> None:
    """Sockets that systemd passes, and what it is told."""
    port, path, log = free_port(), bench.folder / "web.socket", bench.folder / "activated"
    activate = ["systemd-socket-activate", "-l", f"127.0.0.1:{port}", "-l", str(path)]
    activate += [f"--setenv=TALLYBOARD={bench.environment['TALLYBOARD']}"]
    command = [*activate, shutil.which("tallyboard") or "tallyboard", "serve", "--web.systemd-socket"]
    with running(command, log):
        until(lambda: path.exists(), "the socket")
        curl = ["curl", "--silent", "--fail", "--max-time", "30"]
        for where in ([f"http://127.0.0.1:{port}/metrics"], ["--unix-socket", str(path), "http://localhost/metrics"]):
            body = subprocess.run([*curl, *where], capture_output=True, text=True, timeout=60)
            assert "\nweb_total 1\n" in f"\n{body.stdout}", (where, body, log.read_text())
    alone = subprocess.run(["tallyboard", "serve", "--web.systemd-socket"], capture_output=True, text=True, timeout=60)
    assert alone.returncode == 1, alone
    assert ".socket unit" in alone.stderr, alone

    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.bind(str(bench.folder / "notify"))
    manager.settimeout(60)
    asked = {"NOTIFY_SOCKET": str(bench.folder / "notify"), "WATCHDOG_USEC": "200000"}

    def hear(word: str) -> str:
        end = time.monotonic() + 60
        while word not in (heard := manager.recv(4096).decode()):
            # Of its being alive it tells again and again.
            assert time.monotonic() < end, f"{word} is not heard; is SIGHUP ignored, as under nohup?"
        return heard

    with bench.serving("basic_auth_users: {}\n", environment=asked) as web:
        assert "STATUS=serving http://127.0.0.1" in hear("READY=1")
        hear("WATCHDOG=1")
        hear("WATCHDOG=1")
        web.process.send_signal(signal.SIGHUP)
        assert "MONOTONIC_USEC=" in hear("RELOADING=1")
        hear("READY=1")
        assert web.status(scheme="http") == 200
        web.process.terminate()
        hear("STOPPING=1")
        assert web.process.wait(30) == 0
    manager.close()


def logs(bench: Bench) -> None:
    """Every line of a log is one event in the form that was asked for."""
    for form, pattern in (
        ("logfmt", r'ts=\S+Z level=\w+ msg=("([^"\\]|\\.)*"|\S+)( \w+=("([^"\\]|\\.)*"|\S+))*'),
        ("json", ""),
    ):
        with bench.serving(TLS, f"--log.format={form}") as web:
            web.status(scheme="http")
            web.process.terminate()
            web.process.wait(30)
            lines = web.log.read_text().splitlines()
        assert len(lines) >= 3
        for line in lines:
            if form == "json":
                assert {"ts", "level", "msg"} <= json.loads(line).keys(), line
            else:
                assert re.fullmatch(pattern, line), line


def own_metrics(bench: Bench) -> None:
    """The flag takes from a scrape what tells of the exporter as a program, as node_exporter's does, and no more."""
    families = []
    for arguments in ((), ("--web.disable-exporter-metrics",)):
        with bench.serving("basic_auth_users: {}\n", *arguments) as web:
            curl = ["curl", "--silent", f"http://127.0.0.1:{web.port}/metrics"]
            body = subprocess.run(curl, capture_output=True, text=True, timeout=60, check=True).stdout
        families.append({line.split()[2] for line in body.splitlines() if line.startswith("# TYPE ")})
        assert "web_total 1\n" in body
    everything, left = families
    gone = everything - left
    scrapes = {f"tallyboard_{name}" for name in ("scrapes_total", "scrapes_failed_total", "scrape_duration_seconds")}
    assert scrapes <= gone, gone
    assert gone - scrapes, gone
    assert all(name.startswith("process_") for name in gone - scrapes), gone
    assert {"tallyboard_build_info", "tallyboard_board_mapped", "tallyboard_type_clashes"} <= left, left


NEWER = "newer"
"""exporter-toolkit has it, Debian's promtool does not know it yet."""
HASH = f"basic_auth_users:\n  alice: {RIGHT}\n"
CASES: tuple[tuple[str, str], ...] = (
    # What the exporter says (`ok`, or a word of its refusal), and the file.
    ("ok", ""),
    ("ok", "# nothing\n"),
    ("ok", "tls_server_config:\n"),
    ("ok", TLS),
    ("ok", TLS + "  min_version: TLS12\n  max_version: TLS13\n  prefer_server_cipher_suites: false\n"),
    ("ok", TLS + "  cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, TLS_AES_128_GCM_SHA256]\n"),
    ("ok", TLS + "  curve_preferences: [X25519, CurveP256, CurveP384]\n"),
    ("ok", TLS + "  client_auth_type: RequestClientCert\n"),
    ("ok", TLS + "  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ours.crt\n"),
    ("ok", TLS + "http_server_config:\n  http2: no\n"),
    ("ok", HASH),
    ("ok", "http_server_config:\n  headers:\n    X-Frame-Options: sameorigin\n    X-XSS-Protection: ''\n"),
    ("min_version", TLS + "  min_version: TLS10\n"),
    ("max_version", TLS + "  max_version: TLS11\n"),
    ("min_version", TLS + "  min_version: TLS13\n  max_version: TLS12\n"),
    ("min_version", TLS + "  min_version: SSL3\n"),
    ("cipher_suites", TLS + "  cipher_suites: [TLS_RSA_WITH_AES_128_CBC_SHA]\n"),
    ("cipher_suites", TLS + "  cipher_suites: [TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA]\n"),
    ("cipher_suites", TLS + "  cipher_suites: [TLS_INVENTED]\n"),
    ("curve_preferences", TLS + "  curve_preferences: [CurveP521]\n"),
    ("curve_preferences", TLS + "  curve_preferences: [P256]\n"),
    ("client_auth_type", TLS + "  client_auth_type: RequireAndVerifyClientCert\n"),
    ("client_auth_type", TLS + "  client_auth_type: Require\n"),
    ("client_ca_file", TLS + "  client_ca_file: ours.crt\n"),
    ("client_ca_file", TLS + "  client_auth_type: RequireAnyClientCert\n  client_ca_file: ours.crt\n"),
    ("client_ca_file", TLS + "  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: server.key\n"),
    ("client_ca_file", TLS + "  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: none.crt\n"),
    ("cert_file", "tls_server_config:\n  key_file: server.key\n"),
    ("key_file", "tls_server_config:\n  cert_file: server.crt\n"),
    ("cert_file", "tls_server_config:\n  min_version: TLS13\n"),
    ("cert_file", "tls_server_config:\n  cert_file: none.crt\n  key_file: server.key\n"),
    ("key_file", "tls_server_config:\n  cert_file: server.crt\n  key_file: server2.key\n"),
    ("key_file", "tls_server_config:\n  cert_file: server.crt\n  key_file: server.crt\n"),
    ("cert_file", "tls_server_config:\n  cert_file: server.key\n  key_file: server.key\n"),
    ("basic_auth_users.alice", "basic_auth_users:\n  alice: plain\n"),
    ("basic_auth_users.alice", "basic_auth_users:\n  alice:\n"),
    ("basic_auth_users.alice", "basic_auth_users:\n  alice: $2b$10$short\n"),
    ("basic_auth_users.alice", f"basic_auth_users:\n  alice: {RIGHT.replace('$11$', '$31$')}\n"),
    ("X-Frame-Options", "http_server_config:\n  headers:\n    X-Frame-Options: allow\n"),
    ("x-frame-options", "http_server_config:\n  headers:\n    x-frame-options: deny\n"),
    ("Server", "http_server_config:\n  headers:\n    Server: x\n"),
    ("line 3", "tls_server_config:\n  cert_file: server.crt\n  certfile: server.crt\n"),
    ("line 1", "tls_config: {}\n"),
    ("line 3", "basic_auth_users:\n  a: x\n  a: x\n"),
    ("line", "tls_server_config: ["),
    ("line", "- a\n- b\n"),
    (NEWER, "rate_limit:\n  interval: 1s\n  burst: 20\n"),
    (NEWER, TLS + "  client_auth_type: RequireAnyClientCert\n  client_allowed_sans: [a]\n"),
)


def agreement(bench: Bench) -> None:
    """Whatever promtool takes, the exporter takes or refuses by name; whatever promtool refuses, it refuses."""
    verdicts: dict[tuple[bool, bool], int] = {}

    def ours(text: str) -> str:
        """Nothing if it starts, else what it says."""
        path = bench.folder / "case.yml"
        path.write_text(text)
        log = bench.folder / "case.log"
        log.write_text("")
        command = ["tallyboard", "serve", "--web.listen-address=127.0.0.1:0", "--web.config.file", str(path)]
        with running(command, log, bench.environment) as process:
            until(lambda: process.poll() is not None or "listening on" in log.read_text(), "a verdict")
        said = log.read_text()
        if "listening on" in said:
            return ""
        assert (process.returncode, len(said.splitlines())) == (1, 1), said
        return said

    def promtool(text: str) -> str:
        path = bench.folder / "case.yml"
        path.write_text(text)
        done = subprocess.run(
            ["promtool", "check", "web-config", str(path)], capture_output=True, text=True, timeout=60
        )
        return "" if done.returncode == 0 else done.stdout + done.stderr

    for expected, text in CASES:
        their_word, our_word = promtool(text), ours(text)
        if expected == NEWER:
            assert not their_word or "not found in type" in their_word, their_word
            assert not our_word, our_word
            continue
        if expected == "ok":
            assert not our_word, (text, our_word)
        else:
            assert expected in our_word, (text, our_word)
        assert our_word or not their_word, f"promtool refuses and we do not:\n{text}{their_word}"
        kind = (not their_word, not our_word)
        verdicts[kind] = verdicts.get(kind, 0) + 1
    both, by_name, neither = (verdicts.get(kind, 0) for kind in ((True, True), (True, False), (False, False)))
    print(f"web-config: {both} taken by both, {by_name} refused by name, {neither} refused by both", flush=True)

    # The example that is shipped, with files by the names that it gives.
    bench.ours.issue("clients", "DNS:localhost")
    example = EXAMPLE.read_text()
    assert (promtool(example), ours(example)) == ("", "")


def main() -> None:
    with scratch("web") as folder:
        bench = Bench(folder)
        for part in (
            protocols,
            rsa,
            clients,
            users,
            headers_and_limits,
            changes,
            systemd,
            logs,
            own_metrics,
            agreement,
        ):
            begun = time.monotonic()
            part(bench)
            print(f"{part.__name__}: {time.monotonic() - begun:.1f} s", flush=True)


if __name__ == "__main__":
    main()
