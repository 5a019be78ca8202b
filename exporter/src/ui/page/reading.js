// What the exporter says of a family or series, as what is kept, drawn and written of it.

function readingOf(answer) {
  const reading = {};
  for (const field of ["value", "low", "high", "count", "sum"]) {
    if (answer[field] !== undefined) reading[field] = toNumber(answer[field]);
  }
  if (answer.buckets) reading.buckets = answer.buckets;
  if (answer.held) reading.held = answer.held;
  return reading;
}

function courseOf(family, history) {
  if (family.type === "counter") return history.rates("value");
  if (family.type === "gauge") return history.points;
  if (family.type === "histogram" || family.type === "summary") return history.rates("count");
  if (family.type === "stateset") return history.points.map(placesHeld);
  return [];
}

function gaugeText({ low, high }, unit) {
  if (low === undefined) return NONE;
  const ends = [inUnit(low, unit), inUnit(high, unit)];
  return ends[0] === ends[1] ? ends[0] : ends.join(" … ");
}

// What stands in the list: the one number that matters most, and a second one.
function nowOf(family, history) {
  const unit = unitOf(family);
  const last = history.points.at(-1) ?? {};
  switch (family.type) {
    case "counter":
      return [perSecond(history.rate("value"), unit), isNothing(last.value) ? "" : `${unit === "bytes" ? inUnit(last.value, unit) : whole(last.value)} in all`];
    case "gauge":
      return [gaugeText(last, unit), ""];
    case "summary":
      return [perSecond(history.rate("count")), last.count ? `mean ${inUnit(last.sum / last.count, unit)}` : ""];
    case "histogram": {
      const seen = history.window(10_000);
      const p = (q) => quantileText(quantile(q, family, seen.buckets), unit);
      return [perSecond(history.rate("count")), seen?.count ? `p50 ${p(0.5)} · p99 ${p(0.99)}` : `${whole(last.count)} in all`];
    }
    case "stateset":
      return last.held ? stateText(family, history) : [NONE, ""];
    case "info": {
      const [first, ...others] = (family.said ?? []).map(saidText);
      return [first ?? NONE, others.join(" · ")];
    }
    default:
      return [NONE, ""];
  }
}
