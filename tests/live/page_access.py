"""The page for those who cannot see it, use no mouse, or do not want things to move: as Chromium tells it.

Names are those of the accessibility tree that Chromium hands to screen readers, the way through the page is the Tab
key's own, and the focus is as it is drawn.
"""

from __future__ import annotations

from live.page_sight import FOCUS, MOVING, STOPS
from rig.browser import Look

NAMED = {
    *("button", "link", "searchbox", "combobox", "radio", "radiogroup", "group", "meter"),
    *("region", "navigation", "complementary", "image", "img", "heading", "columnheader", "rowheader"),
}
"""Roles that a screen reader stops at or announces, and that say nothing without a name."""
EVERYWHERE = {"button", "link", "searchbox", "combobox", "radio", "meter", "region", "navigation", "heading"}
"""Those that there must be."""
MOST_STOPS = 200


def names(look: Look) -> None:
    """Everything that can be used or led to has a name."""
    session = look.context.new_cdp_session(look.page)
    nodes = session.send("Accessibility.getFullAXTree")["nodes"]
    session.detach()
    named: dict[str, list[str]] = {}
    nameless = []
    for node in nodes:
        role = node.get("role", {}).get("value", "")
        if node["ignored"] or role not in NAMED:
            continue
        name = node.get("name", {}).get("value", "").strip()
        named.setdefault(role, []).append(name)
        if not name:
            nameless.append((role, node.get("properties")))
    assert not nameless, f"without a name in the accessibility tree: {nameless}"
    assert named.keys() >= EVERYWHERE, f"the accessibility tree has only {sorted(named)}"
    twice = {name for name in named["region"] if named["region"].count(name) > 1}
    assert not twice, f"regions that cannot be told apart: {twice}"


def tab_key(look: Look) -> int:
    """The Tab key leads to everything that can be used, and it is seen where one is. How many stops there are."""
    page = look.page
    wanted = page.evaluate(STOPS)
    # From the beginning of the document, and not from where somebody clicked last.
    page.evaluate("document.body.tabIndex = -1; document.body.focus(); document.body.removeAttribute('tabindex')")
    seen = []
    for _ in range(MOST_STOPS):
        page.keyboard.press("Tab")
        focus = page.evaluate(FOCUS)
        # Behind the last there is the browser's own.
        if focus is None:
            break
        assert focus["contrast"] >= 3, f"the focus is hardly seen, {focus['contrast']:.2f}: {focus['what']}"
        seen.append(focus["what"])
    missed = [stop for stop in wanted if stop not in seen]
    assert not missed, f"the Tab key does not lead to {missed}; it leads to {seen}"
    assert len(seen) > 15, seen
    return len(seen)


def nothing_moves(look: Look) -> None:
    """For who prefers reduced motion, which this browser says of itself."""
    assert look.page.evaluate("matchMedia('(prefers-reduced-motion: reduce)').matches")
    moving = look.page.evaluate(MOVING)
    assert not moving, f"it moves: {moving}"
