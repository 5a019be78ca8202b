"""A real terminal: tmux with a server of its own, whose screen can be read and whose keys can be pressed."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

from rig.processes import until

SESSION = "test"


class Terminal:
    """A shell command in a terminal of a given size; the end of a `with` block ends both."""

    def __init__(self, folder: Path, command: str, width: int = 110, height: int = 30, **environment: str) -> None:
        self._socket = folder / "tmux.socket"
        self._command = command
        self._size = ["-x", str(width), "-y", str(height)]
        self._environment = environment

    def __enter__(self) -> Terminal:
        environment = {**os.environ, "LC_ALL": "C.UTF-8", **self._environment}
        # Nobody's configuration, and no shell between tmux and the command's own.
        start = ["tmux", "-S", str(self._socket), "-u", "-f", "/dev/null", "new-session", "-d", "-s", SESSION]
        subprocess.run([*start, *self._size, self._command], env=environment, check=True, timeout=30)
        return self

    def __exit__(self, *_: object) -> None:
        subprocess.run(["tmux", "-S", str(self._socket), "kill-server"], check=False, timeout=30)
        until(lambda: not self._is_there(), "tmux to end")

    def _is_there(self) -> bool:
        done = subprocess.run(["tmux", "-S", str(self._socket), "has-session"], capture_output=True, timeout=30)
        return done.returncode == 0

    def _tmux(self, *arguments: str) -> str:
        command = ["tmux", "-S", str(self._socket), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
        return done.stdout

    def screen(self) -> str:
        """What is on the screen now, line by line."""
        return self._tmux("capture-pane", "-p", "-t", SESSION)

    def press(self, *keys: str) -> None:
        """Presses keys, by tmux's names for them: `Enter`, `Escape`, `C-c`, `Down`, or a letter."""
        self._tmux("send-keys", "-t", SESSION, *keys)

    def type(self, text: str) -> None:
        """Presses the keys of a text."""
        self._tmux("send-keys", "-t", SESSION, "-l", text)

    def resize(self, width: int, height: int) -> None:
        """Makes it larger or smaller."""
        self._tmux("resize-window", "-t", SESSION, "-x", str(width), "-y", str(height))

    def state(self) -> tuple[bool, bool]:
        """Whether a program has taken the whole screen (the alternate one), and whether the cursor is seen."""
        alternate, cursor = self._tmux("display", "-p", "-t", SESSION, "#{alternate_on} #{cursor_flag}").split()
        return alternate == "1", cursor == "1"

    def wait_for(self, text: str) -> str:
        """The first screen with `text` on it."""
        return self._wait(lambda screen: text in screen, text)

    def wait_without(self, text: str) -> str:
        """The first screen without `text`."""
        return self._wait(lambda screen: text not in screen, f"no {text}")

    def _wait(self, is_meant: Callable[[str], bool], what: str) -> str:
        seen = ""

        def look() -> bool:
            nonlocal seen
            seen = self.screen()
            return is_meant(seen)

        try:
            until(look, f"`{what}` on the screen", 20)
        except TimeoutError as error:
            raise AssertionError(f"{error}; there is:\n{seen}") from None
        return seen
