"""Which subject this run tests, and what differs from one to the other."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any, Callable, Iterator
from urllib.request import urlopen

import pytest

TALLYBOARD = "tallyboard"
REFERENCE = "prometheus_client"
DROP_IN = "drop-in"

# The version whose surface this is. What an older one lacks is not missing in a subject either.
WRITTEN_FOR = (0, 26)
if tuple(map(int, version("prometheus_client").split(".")[:2])) < WRITTEN_FOR:
    collect_ignore_glob = ["test_*.py"]

# What a program of its own process begins with. `exposed` is the text that a scrape of any one of
# the processes gets; the reference has to be told of its directory for that.
PRELUDES = {
    TALLYBOARD: """
import tallyboard as client

def exposed():
    return client.generate_latest().decode()
""",
    REFERENCE: """
import prometheus_client as client
from prometheus_client import multiprocess

def exposed():
    registry = client.CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)
    return client.generate_latest(registry).decode()
""",
    DROP_IN: """
import tallyboard.prometheus_client
tallyboard.prometheus_client.install()
import prometheus_client as client

def exposed():
    return client.generate_latest().decode()
""",
}


@pytest.fixture(scope="session")
def subject(request: pytest.FixtureRequest) -> str:
    return str(request.config.getoption("--subject"))


@pytest.fixture(scope="session")
def client(subject: str) -> ModuleType:
    """The module whose surface is used."""
    if subject == DROP_IN:
        import_module("tallyboard.prometheus_client").install()
    return import_module(TALLYBOARD if subject == TALLYBOARD else REFERENCE)


@pytest.fixture
def registry(client: ModuleType) -> Any:
    """A registry that nothing is in."""
    return client.CollectorRegistry()


@pytest.fixture
def run_client(
    subject: str, board: Path, run: Callable[..., str], tmp_path: Path
) -> Callable[..., str]:
    """Runs a program that has `client`, `exposed` and `in_children`, in a process of its own.

    The reference counts in its multiprocess mode then.
    """

    def run_client(program: str, *arguments: str) -> str:
        environment = {}
        if subject == REFERENCE:
            folder = tmp_path / "multiprocess"
            folder.mkdir(exist_ok=True)
            environment["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
        prelude = PRELUDES[subject] + "from workers import in_children\n"
        return run(prelude + program, *arguments, **environment)

    return run_client


@pytest.fixture(scope="session")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Pushgateway that nothing else uses."""
    program = shutil.which("prometheus-pushgateway") or shutil.which("pushgateway")
    if program is None:
        pytest.skip("needs a Pushgateway (Debian: prometheus-pushgateway)")
    # A port that was free a moment ago: the program takes none that it would choose itself.
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    log = tmp_path_factory.mktemp("gateway") / "log"
    # Debian's keeps what it was pushed in /var/lib/prometheus, for every gateway of the machine.
    command = [program, f"--web.listen-address={address}", "--persistence.file="]
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
    try:
        deadline = time.monotonic() + 30
        while True:
            try:
                urlopen(f"http://{address}/-/ready", timeout=10).close()
                break
            except OSError:
                # It has no other way of telling that it listens.
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.02)
        yield address
    finally:
        process.kill()
        process.wait()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    subject = config.getoption("--subject")
    for item in items:
        for mark in item.iter_markers("beyond"):
            subjects = mark.kwargs.get("subjects", (REFERENCE, DROP_IN))
            if subject in subjects:
                # Strict: a mark that has become untrue fails.
                item.add_marker(pytest.mark.xfail(reason=mark.args[0], strict=True))
