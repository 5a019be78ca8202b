"""What `live.page` asks the browser about how the page can be seen, and by whom it cannot."""

CONTRAST = """() => {
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
  const weak = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let looked = 0;
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    if (!node.data.trim() || !element.checkVisibility() || element.closest("script, style, .unseen, .skip")) continue;
    const style = getComputedStyle(element);
    const behind = [];
    for (let at = element; at; at = at.parentElement) behind.unshift(getComputedStyle(at).backgroundColor);
    const ground = luminance(paint(["white", ...behind]));
    const ink = luminance(paint([element instanceof SVGElement ? style.fill : style.color]));
    const ratio = (Math.max(ground, ink) + 0.05) / (Math.min(ground, ink) + 0.05);
    looked += 1;
    if (ratio < 4.5) weak.push(`${ratio.toFixed(2)} ${node.data.trim().slice(0, 40)}`);
  }
  return looked < 40 ? [`only ${looked} texts were looked at`] : weak;
}"""
"""Texts whose contrast to what is behind them is below that of WCAG's level AA, 4.5 to 1."""

NAMELESS = """() => [...document.querySelectorAll("button, input, select, a, section, aside, nav")]
  .concat([...document.querySelectorAll("[role=region], [role=meter], [role=radiogroup], svg[role=img]")])
  .filter((element) => element.checkVisibility())
  .filter((element) => {
    const named = element.ariaLabel || (element.getAttribute("aria-labelledby") ?? "").split(" ")
      .map((id) => document.getElementById(id)?.textContent ?? "").join("");
    const label = [...(element.labels ?? [])].map((one) => one.textContent).join("");
    return !(named || label || (element.matches("button, a") && element.textContent)).trim();
  })
  .map((element) => element.outerHTML.slice(0, 80))"""
"""What a screen reader would stop at and have no name for."""
