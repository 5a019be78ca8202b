// What was seen of one family or series, as far back as the charts go; rates and quantiles of it.
//
// The exporter says only what there is now. Everything over time is made here, from one answer to
// the next, and begins when the page is opened.

const SPAN = 5 * 60_000;
const RECENT = 15_000;
// Between kept histograms that are no longer recent.
const COARSE = 5_000;
// Answers further apart than this are not connected: the page was hidden, or nobody answered.
const GAP = 10_000;
// Answers closer than this say little about how fast something grows.
const SHORT = 500;

class History {
  // Of what adds up: a counter's value, a count of observations. Of a gauge: low and high. Of a state
  // set: in how many series each state is held.
  points = [];
  recent = [];
  coarse = [];

  // Whether it was new.
  add(time, reading) {
    const last = this.points.at(-1);
    if (last && time <= last.time) return false;
    const at = { time, ...reading };
    // Fewer than before: a series ended. What was before says nothing about what comes.
    const fell = last && (at.count < last.count || at.value < last.value);
    if (fell) {
      this.recent = [];
      this.coarse = [];
      at.fell = true;
    }
    this.points.push({ ...at, buckets: undefined });
    while (this.points[0].time < time - SPAN - GAP) this.points.shift();
    if (!at.buckets) return true;
    this.recent.push(at);
    while (this.recent[0].time < time - RECENT) {
      const old = this.recent.shift();
      const before = this.coarse.at(-1);
      if (!before || old.time - before.time >= COARSE) this.coarse.push(old);
    }
    while (this.coarse.length && this.coarse[0].time < time - SPAN - GAP) this.coarse.shift();
    return true;
  }

  // How fast `field` grows, over the last seconds.
  rate(field) {
    const last = this.points.at(-1);
    let first = last;
    for (let at = this.points.length - 1; at > 0 && last.time - first.time < 4500; at -= 1) {
      if (this.points[at].fell || this.points[at].time - this.points[at - 1].time > GAP) break;
      first = this.points[at - 1];
    }
    return !last || last.time - first.time < SHORT ? undefined : ((last[field] - first[field]) * 1000) / (last.time - first.time);
  }

  // The growth of `field` per second between all neighbours; without a value where there is a gap.
  rates(field) {
    const found = [];
    let before = this.points[0];
    for (const point of this.points.slice(1)) {
      const passed = point.time - before.time;
      if (passed < SHORT && !point.fell) continue;
      const known = !point.fell && passed <= GAP;
      found.push({ time: point.time, value: known ? ((point[field] - before[field]) * 1000) / passed : undefined });
      before = point;
    }
    return found;
  }

  // What was observed in the last `millis`, or since the page has looked if that is shorter.
  // Without `millis`: all that the board knows.
  window(millis) {
    const kept = [...this.coarse, ...this.recent];
    const last = kept.at(-1);
    if (!last) return undefined;
    if (millis === undefined) return { ...last, seconds: undefined };
    const before = kept.filter((one) => one.time <= last.time - millis + 500).at(-1) ?? kept[0];
    return before === last ? undefined : difference(before, last);
  }

  // Quantiles over time, one point for about five seconds.
  quantiles(family, wanted) {
    const kept = [];
    for (const one of [...this.coarse, ...this.recent]) {
      if (!kept.length || one.time - kept.at(-1).time >= COARSE - 500) kept.push(one);
    }
    return wanted.map((q) => kept.slice(1).map((one, at) => {
      const seen = difference(kept[at], one);
      const found = seen.seconds * 1000 <= GAP + COARSE ? quantile(q, family, seen.buckets) : undefined;
      return { time: one.time, value: found?.value };
    }));
  }
}

function difference(before, after) {
  return {
    seconds: (after.time - before.time) / 1000,
    buckets: after.buckets.map((events, at) => Math.max(0, events - before.buckets[at])),
    count: after.count - before.count,
    sum: after.sum - before.sum,
  };
}

// As PromQL's histogram_quantile: on a line through the bucket that holds it; in a native one's, by
// ratio, and in its zero bucket from 0 if nothing is below. `beyond` where that is the last, which
// has no upper bound.
function quantile(q, { bounds, native }, buckets) {
  const total = buckets.reduce((sum, events) => sum + events, 0);
  if (!total) return undefined;
  const rank = q * total;
  let below = 0;
  for (const [at, events] of buckets.entries()) {
    if (below + events < rank || !events) {
      below += events;
      continue;
    }
    if (at === bounds.length) return { value: bounds.length ? bounds.at(-1) : undefined, beyond: true };
    const upper = bounds[at];
    if (at === 0 && upper <= 0) return { value: upper };
    const part = (rank - below) / events;
    if (native && at !== native.zero) return { value: bounds[at - 1] * (upper / bounds[at - 1]) ** part };
    const lower = at === 0 || (native && below === 0) ? 0 : bounds[at - 1];
    return { value: lower + (upper - lower) * part };
  }
  return undefined;
}

// The buckets that are shown as one, each from a place to a place, from the first that holds
// something to the last. A native histogram's are put together as those of a coarser one are, until
// there are at most `most`.
function together({ native }, buckets, most) {
  const first = buckets.findIndex((events) => events > 0);
  const last = buckets.findLastIndex((events) => events > 0);
  const places = buckets.map((_, at) => at).slice(first, last + 1);
  const groups = (shift) => {
    const found = [];
    for (const at of places) {
      const name = native ? coarser(native, buckets.length, at, shift) : `${at}`;
      if (found.at(-1)?.name === name) found.at(-1).to = at;
      else found.push({ name, from: at, to: at });
    }
    return found;
  };
  let found = groups(0);
  for (let shift = 1; native && shift < 16 && found.length > most; shift += 1) found = groups(shift);
  return found;
}

// Which bucket of a coarser schema the one at a place lies in. What lies outside is not its end.
function coarser({ first, zero }, length, at, shift) {
  if (at === 0 || at === length - 1 || at === zero) return `edge ${at}`;
  const index = first + Math.abs(at - zero) - 1;
  return `${at < zero ? "below" : "above"} ${Math.ceil(index / 2 ** shift)}`;
}

const quantileText = (found, unit) =>
  found ? `${found.beyond ? ">\u202f" : ""}${inUnit(found.value, unit)}` : NONE;
