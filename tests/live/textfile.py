"""`tallyboard textfile` and Debian's node_exporter: its scrape shows what is counted, and never a torn file.

Usage: python -m live.textfile
"""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import time
import urllib.request
from pathlib import Path

from rig.command import parse, succeed, tallyboard
from rig.exporter import answers, free_port
from rig.processes import running, until
from rig.scratch import scratch

ROUNDS = 30


class NodeExporter:
    """The real one, with the textfile collector and nothing else."""

    def __init__(self, address: str) -> None:
        self._url = f"http://{address}/metrics"

    @staticmethod
    def command(address: str, directory: Path) -> list[str]:
        collectors = ["--collector.disable-defaults", "--collector.textfile"]
        where = [f"--collector.textfile.directory={directory}", f"--web.listen-address={address}"]
        return ["prometheus-node-exporter", *collectors, *where]

    def is_there(self) -> bool:
        return answers(self._url)

    def scrape(self) -> dict[str, float]:
        """Every sample by its text, but for those that are there only once with other labels."""
        with urllib.request.urlopen(self._url, timeout=30) as response:
            samples = parse(response.read().decode())
        assert samples["node_textfile_scrape_error", frozenset()] == 0, "a file cannot be read"
        return {
            name + "".join(f"{{{key}={value}}}" for key, value in sorted(labels) if key != "file"): value
            for (name, labels), value in samples.items()
        }


def check_file(path: Path) -> None:
    """What a file of the collector has to be."""
    text = path.read_text()
    done = subprocess.run(["promtool", "check", "metrics"], input=text.encode(), capture_output=True, timeout=60)
    assert (done.returncode, done.stdout + done.stderr) == (0, b""), done
    samples = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert samples, "it is empty"
    for line in samples:
        # A name with labels, and a value: a third word would be a time.
        assert len(line.rpartition("}")[2].split()) == (1 if "}" in line else 2), f"{line!r} has a timestamp"
        assert not line.startswith("process_"), f"{line!r} is node_exporter's own"
    mode = stat.S_IMODE(path.stat().st_mode)
    assert mode == 0o644, f"its mode is {mode:o}"


def check_once(folder: Path, board: Path) -> None:
    path = folder / "once.prom"
    done = tallyboard(board, "textfile", "--output", str(path), "--once")
    assert done.returncode == 1, done
    assert "no board" in done.stderr, done
    assert not path.exists(), done
    succeed(board, "inc", "records_total", "5", "--label", "source=a", "--help-text", "Records.")
    succeed(board, "observe", "wait_seconds", "0.3", "--help-text", "Waits.")
    succeed(board, "textfile", "--output", str(path), "--once")
    check_file(path)
    assert 'records_total{source="a"} 5\n' in path.read_text(), path.read_text()
    path.unlink()
    done = tallyboard(board, "textfile", "--output", str(folder / "once.txt"), "--once")
    assert done.returncode == 2, done
    assert ".prom" in done.stderr, done
    done = tallyboard(board, "textfile", "--output", str(folder / "nowhere" / "a.prom"))
    assert done.returncode == 1, done
    assert "nowhere/a.prom" in done.stderr, done
    print("--once writes what is there, or says why not", flush=True)


def main() -> None:
    # The worst that the file's mode has to stand.
    os.umask(0o077)
    with scratch("textfile") as folder:
        board, directory = folder / "textfile.board", folder / "collected"
        directory.mkdir(mode=0o755)
        check_once(folder, board)

        path, address = directory / "tallyboard.prom", f"127.0.0.1:{free_port()}"
        node_exporter = NodeExporter(address)
        write = ["tallyboard", "textfile", "--board", str(board), "--output", str(path), "--interval", "100ms"]
        collect = NodeExporter.command(address, directory)
        with running(write, folder / "textfile.log") as writer, running(collect, folder / "node.log"):
            until(node_exporter.is_there, "the node exporter")
            until(path.exists, "the file")
            series = "records_total{source=a}"
            assert node_exporter.scrape()["wait_seconds_count"] == 1
            for number in range(6, 6 + ROUNDS):
                succeed(board, "inc", "records_total", "--label", "source=a")
                until(lambda wanted=number: node_exporter.scrape()[series] == wanted, f"{number} records")
                check_file(path)
            print(f"the node exporter has shown each of {ROUNDS} counts", flush=True)

            # What is counted after the last write is in the one at the end.
            writer.send_signal(signal.SIGSTOP)
            time.sleep(0.2)
            succeed(board, "inc", "records_total", "100", "--label", "source=a")
            writer.terminate()
            writer.send_signal(signal.SIGCONT)
            assert writer.wait(30) == 0, (folder / "textfile.log").read_text()
            last = 5 + ROUNDS + 100
            until(lambda: node_exporter.scrape()[series] == last, "the last write")
            check_file(path)
            assert sorted(os.listdir(directory)) == ["tallyboard.prom"], os.listdir(directory)
            log = (folder / "textfile.log").read_text()
            assert "level=warn" not in log, log
        print("SIGTERM ends it with the last counts written, and nothing is left beside the file", flush=True)


if __name__ == "__main__":
    main()
