"""What `live.page` asks the browser about how the page can be seen, and by whom it cannot."""

COLOURS = """
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const paint = (colours) => {
    canvas.clearRect(0, 0, 1, 1);
    for (const colour of colours) {
      canvas.fillStyle = colour;
      canvas.fillRect(0, 0, 1, 1);
    }
    return [...canvas.getImageData(0, 0, 1, 1).data.slice(0, 3)];
  };
  const luminance = (rgb) => {
    const [r, g, b] = rgb.map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element) => {
    const behind = [];
    for (let at = element; at; at = at.parentElement) behind.unshift(getComputedStyle(at).backgroundColor);
    return luminance(paint(["white", ...behind]));
  };
  const contrast = (a, b) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
"""
"""What is computed of colours as WCAG says."""

CONTRAST = (
    """() => {"""
    + COLOURS
    + """
  const weak = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let looked = 0;
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    if (!node.data.trim() || !element.checkVisibility() || element.closest("script, style, .unseen, .skip")) continue;
    const style = getComputedStyle(element);
    const ink = luminance(paint([element instanceof SVGElement ? style.fill : style.color]));
    const ratio = contrast(ground(element), ink);
    looked += 1;
    if (ratio < 4.5) weak.push(`${ratio.toFixed(2)} ${node.data.trim().slice(0, 40)}`);
  }
  return looked < 40 ? [`only ${looked} texts were looked at`] : weak;
}"""
)
"""Texts whose contrast to what is behind them is below that of WCAG's level AA, 4.5 to 1."""

STOPS = """() => [...document.querySelectorAll("a[href], button, input, select, [tabindex='0']")]
  .filter((element) => element.checkVisibility() && !element.disabled)
  .filter((element) => element.type !== "radio" || element.checked)
  .map((element) => element.outerHTML.slice(0, 120))"""
"""Where the Tab key must stop: of radio buttons, at the one of each group that is chosen."""

FOCUS = (
    """() => {"""
    + COLOURS
    + """
  const at = document.activeElement;
  if (at === document.body) return null;
  // Who draws it: the element, what is laid over its row, or what is seen of a radio button.
  const drawn = [[at, ""], [at, "::after"], ...(at.type === "radio" ? [[at.nextElementSibling, ""]] : [])];
  const found = drawn.map(([element, part]) => [element, getComputedStyle(element, part || undefined)])
    .filter(([, style]) => style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2)
    .map(([element, style]) => contrast(ground(element.parentElement), luminance(paint([style.outlineColor]))));
  const { left, right, top, bottom } = at.getBoundingClientRect();
  const isSeen = right > 0 && bottom > 0 && left < innerWidth && top < innerHeight;
  return { what: at.outerHTML.slice(0, 120), contrast: isSeen ? Math.max(0, ...found) : 0 };
}"""
)
"""What has the focus, and how well that is seen: the contrast of its outline to what is around it."""

MOVING = """() => [...document.querySelectorAll("*")].flatMap((element) => {
  const parts = [undefined, "::before", "::after"].map((part) => getComputedStyle(element, part));
  const moves = parts.some((style) => style.animationName !== "none" || !/^0s(, 0s)*$/.test(style.transitionDuration)
    || style.scrollBehavior === "smooth");
  return moves ? [element.outerHTML.slice(0, 80)] : [];
})"""
"""What would move by itself."""
