// Lines over time, as SVG.

const SVG = "http://www.w3.org/2000/svg";

// An element with attributes and children. Text only ever becomes text, whatever a name holds.
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  fill(element, attributes);
  element.append(...children);
  return element;
}

function draw(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  fill(element, attributes);
  element.append(...children);
  return element;
}

function fill(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined) element.setAttribute(name, value);
  }
}

// Writes only what differs: the page is looked through once a second.
function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// A path through points, begun anew after each one without a value. One alone is a dot.
function line(points, x, y) {
  let path = "";
  let pen = "M";
  for (const { time, value } of points) {
    if (isNothing(value) || !Number.isFinite(value)) {
      pen = "M";
      continue;
    }
    path += `${pen}${x(time).toFixed(1)} ${y(value).toFixed(1)}${pen === "M" ? "h0" : ""}`;
    pen = "L";
  }
  return path;
}

// The room between two lines, for runs of points that have both.
function between(points, x, y) {
  let path = "";
  let run = [];
  const close = () => {
    if (run.length > 1) {
      const there = run.map(({ time, high }) => `${x(time).toFixed(1)} ${y(high).toFixed(1)}`);
      const back = run.toReversed().map(({ time, low }) => `${x(time).toFixed(1)} ${y(low).toFixed(1)}`);
      path += `M${[...there, ...back].join("L")}Z`;
    }
    run = [];
  };
  for (const point of points) {
    const isDrawn = Number.isFinite(point.low) && Number.isFinite(point.high);
    if (isDrawn) run.push(point);
    else close();
  }
  close();
  return path;
}

function extent(values, fromZero) {
  let [low, high] = fromZero ? [0, 0] : [Infinity, -Infinity];
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (!(low <= high)) return [0, 1];
  // A line that does not move lies in the middle, or on the floor if it is zero.
  if (low === high) return low === 0 ? [0, 1] : [low - Math.abs(low) / 2, high + Math.abs(high) / 2];
  return [low, high];
}

const SPARK = { width: 132, height: 30, span: 60_000 };

function sparkline() {
  return draw("svg", {
    class: "spark", viewBox: `0 0 ${SPARK.width} ${SPARK.height}`, preserveAspectRatio: "none", "aria-hidden": "true",
  }, draw("path", { class: "area" }), draw("path", { class: "line" }));
}

// Points have a value, or a low and a high. Rates stand on zero, gauges fill the room.
function updateSparkline(svg, points, now, fromZero) {
  const shown = points.filter(({ time }) => time >= now - SPARK.span);
  const bands = shown.map((point) => ({ time: point.time, low: point.low ?? point.value, high: point.high ?? point.value }));
  const [low, high] = extent(bands.flatMap((band) => [band.low, band.high]), fromZero);
  const x = (time) => SPARK.width * (1 - (now - time) / SPARK.span);
  const y = (value) => SPARK.height - 2 - ((value - low) / (high - low)) * (SPARK.height - 4);
  const [area, stroke] = svg.children;
  const floor = fromZero ? bands.map((band) => (isNothing(band.high) ? band : { ...band, low: 0 })) : bands;
  area.setAttribute("d", between(floor, x, y));
  stroke.setAttribute("d", line(bands.map(({ time, high: value }) => ({ time, value })), x, y));
}

// Round numbers between two values, at most four. Of bytes, round in the unit they are written in.
function ticks(low, high, unit) {
  const size = unit === "bytes" ? (BYTES.find(([from]) => high >= from)?.[0] ?? 1) : 1;
  return roundNumbers(low / size, high / size).map((number) => number * size);
}

function roundNumbers(low, high) {
  const raw = (high - low) / 3;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= raw) ?? 10);
  const found = [];
  for (let at = Math.ceil(low / step); at * step <= high + step / 1e6; at += 1) found.push(at * step);
  return found;
}

// As many minutes as were seen, of these.
const CHART = { height: 168, left: 58, right: 10, top: 10, bottom: 22, minutes: [1, 2, 5] };

// Where times lie in a chart of that size, how far back it reaches, and what stands below it.
function timeAxis(times, now, { left, width, height }) {
  const room = width - left - CHART.right;
  const minutes = CHART.minutes.find((most) => now - Math.min(...times) <= most * 60_000) ?? CHART.minutes.at(-1);
  const span = minutes * 60_000;
  const x = (time) => left + room * (1 - (now - time) / span);
  const parts = [];
  const steps = minutes === 1 ? [60, 45, 30, 15, 0] : Array.from({ length: minutes + 1 }, (_, at) => (minutes - at) * 60);
  for (const [place, seconds] of steps.entries()) {
    const isEnd = place === 0 || seconds === 0;
    if (!isEnd && width < 420) continue;
    const words = seconds === 0 ? "now" : seconds < 60 ? `−${seconds}\u202fs` : `−${seconds / 60}\u202fmin`;
    const anchor = isEnd ? (seconds ? "start" : "end") : "middle";
    parts.push(draw("text", { class: "tick", x: x(now - seconds * 1000), y: height - 4, "text-anchor": anchor }, words));
  }
  return { x, span, parts };
}

function chart() {
  return draw("svg", { class: "chart", role: "img", height: CHART.height });
}

// `lines` are [{points}], `band` points with a low and a high; `text` writes a value of the unit;
// `label` says in words what is drawn.
function updateChart(svg, lines, band, now, { fromZero, unit, text, label }) {
  const width = Math.max(240, svg.parentElement.clientWidth);
  const values = lines.flatMap(({ points }) => points.map(({ value }) => value));
  for (const { low, high } of band) values.push(low, high);
  const [low, high] = extent(values, fromZero);
  const top = high + (high - low) * 0.05;
  const times = [...lines.flatMap(({ points }) => points), ...band].map(({ time }) => time);
  const { x, span, parts } = timeAxis(times, now, { left: CHART.left, width, height: CHART.height });
  const y = (value) => CHART.height - CHART.bottom - ((value - low) / (top - low)) * (CHART.height - CHART.top - CHART.bottom);
  for (const tick of ticks(low, top, unit)) {
    parts.push(draw("line", { class: "grid", x1: CHART.left, x2: width - CHART.right, y1: y(tick), y2: y(tick) }));
    parts.push(draw("text", { class: "tick", x: CHART.left - 8, y: y(tick) + 4, "text-anchor": "end" }, text(tick)));
  }
  const seen = (points) => points.filter(({ time }) => time >= now - span);
  if (band.length) parts.push(draw("path", { class: "area", d: between(seen(band), x, y) }));
  lines.forEach(({ points }, at) => {
    // The edges of a band are of one colour.
    parts.push(draw("path", { class: `line line-${band.length ? 0 : at}`, d: line(seen(points), x, y) }));
  });
  fill(svg, { viewBox: `0 0 ${width} ${CHART.height}`, width, "aria-label": label });
  svg.replaceChildren(...parts);
}
