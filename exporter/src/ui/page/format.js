// Numbers and times as people read them.

const NONE = "–";
const WHOLE = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const SCALES = [[1e15, "P"], [1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"]];
const BYTES = [[2 ** 50, "PiB"], [2 ** 40, "TiB"], [2 ** 30, "GiB"], [2 ** 20, "MiB"], [2 ** 10, "KiB"]];
const SECONDS = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"], [1e-3, "ms"], [1e-6, "µs"], [1e-9, "ns"]];

// JSON has no word for what is not finite; the exporter sends text.
const toNumber = (value) => ({ NaN: NaN, "+Inf": Infinity, "-Inf": -Infinity })[value] ?? value;

const isNothing = (value) => value === undefined || value === null || Number.isNaN(value);

// Three digits that mean something, never in scientific notation where it can be avoided.
function digits(value) {
  const size = Math.abs(value);
  if (size === 0) return "0";
  if (size >= 100) return value.toFixed(0);
  if (size >= 10) return trim(value.toFixed(1));
  if (size >= 0.01) return trim(value.toFixed(size >= 1 ? 2 : 3));
  return trim(value.toExponential(1));
}

const trim = (text) => (text.includes(".") && !text.includes("e") ? text.replace(/\.?0+$/, "") : text);

function scaled(value, scales, last) {
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  const size = Math.abs(value);
  // What would be rounded up to 1,000 of one is 1 of the next.
  const scale = scales.find(([from]) => size >= from * 0.9995);
  const [number, unit] = scale ? [digits(value / scale[0]), scale[1]] : [digits(value), last];
  return `${number.replace("-", "−")}${unit ? `\u202f${unit}` : ""}`;
}

// A plain number, shortened.
const short = (value) => (isNothing(value) ? NONE : scaled(value, SCALES, ""));

// A whole number with all its digits, as long as there is room for them.
const whole = (value) => (isNothing(value) ? NONE : Math.abs(value) < 1e12 ? WHOLE.format(value) : short(value));

// A value of a metric in its unit.
function inUnit(value, unit) {
  if (isNothing(value)) return value === undefined || value === null ? NONE : "NaN";
  if (unit === "seconds") return value === 0 ? "0\u202fs" : scaled(value, SECONDS, "s");
  if (unit === "bytes") return scaled(value, BYTES, "B");
  if (unit === "ratio") return `${digits(value * 100)}\u202f%`;
  return Number.isInteger(value) && Math.abs(value) < 1e6 ? whole(value) : short(value);
}

const perSecond = (value, unit) => {
  if (isNothing(value)) return NONE;
  return `${unit === "bytes" ? inUnit(value, unit) : short(value)}/s`;
};

// The unit that a family was given, or that its name ends with.
function unitOf(family) {
  const named = /_(seconds|bytes|ratio)(?:_total)?$/.exec(family.name);
  return family.unit || (named ? named[1] : "");
}

// A share of 1.
function percent(share) {
  const text = (share * 100).toFixed(1);
  return share > 0 && text === "0.0" ? "<\u202f0.1\u202f%" : `${text}\u202f%`;
}

// A duration in its two largest units.
function duration(millis) {
  let rest = Math.max(0, Math.floor(millis / 1000));
  const parts = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]].map(([size, unit]) => {
    const number = Math.floor(rest / size);
    rest %= size;
    return [number, unit];
  });
  const first = parts.findIndex(([number]) => number > 0);
  if (first < 0) return "0\u202fs";
  return parts.slice(first, first + 2).filter(([number]) => number > 0)
    .map(([number, unit]) => `${number}\u202f${unit}`).join(" ");
}

const clock = (millis) => new Date(millis).toLocaleTimeString([], { hour12: false });
