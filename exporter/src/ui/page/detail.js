// What is shown of one family when it is opened: its course, its distribution, its series.

const WINDOWS = [["10 s", 10_000], ["1 min", 60_000], ["5 min", SPAN], ["All", undefined]];
const QUANTILES = [0.5, 0.9, 0.95, 0.99];
// Lines of a native histogram's distribution: as many as are seen without scrolling.
const MOST_BARS = 16;

class Detail {
  constructor(family, ask) {
    this.ask = ask;
    this.search = "";
    this.window = "1 min";
    this.series = new Map();
    this.history = new History();
    this.element = make("div", { class: "detail", id: "detail", role: "region", "aria-label": `About ${family.name}` });
    this.type = family.type;
    this.facts = make("p", { class: "quiet" });
    this.charts = make("div", { class: "charts" });
    this.table = make("table", { class: "series" }, make("thead"), make("tbody"));
    this.found = make("p", { class: "quiet" });
    this.more = make("p", { class: "quiet" });
    const search = make("input", {
      type: "search", placeholder: "label=value", autocomplete: "off", spellcheck: "false", "aria-label": `Search the series of ${family.name}`,
    });
    search.addEventListener("input", () => {
      this.search = search.value;
      this.ask();
    });
    this.searching = make("div", { class: "bar" }, make("h3", {}, "Series"), this.found, search);
    this.room = make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": `Series of ${family.name}` }, this.table);
    this.element.append(this.facts, this.charts, this.searching, this.room, this.more);
    this.#prepare(family);
  }

  // The charts that the type has.
  #prepare(family) {
    const figure = (title, ...children) => make("figure", {}, make("figcaption", {}, title), ...children);
    const scroll = (label, ...children) => make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": label }, ...children);
    if (family.type === "histogram") {
      this.quantiles = chart();
      this.bars = make("table", { class: "bars" }, make("caption", { class: "unseen" }, "Observations by bucket"), make("tbody"));
      this.windows = this.#windowSwitch(family.name);
      this.numbers = make("table", { class: "quantiles" }, make("thead"), make("tbody"));
      this.charts.append(
        make("figure", {}, make("figcaption", {}, "Distribution", this.windows), scroll("Distribution", this.bars)),
        figure("Quantiles", make("p", { class: "legend", "aria-hidden": "true" },
          ...["p50", "p90", "p99"].map((name, at) => make("span", { class: `key-${at}` }, name))), make("div", {}, this.quantiles), scroll("Quantiles", this.numbers)),
      );
      return;
    }
    if (family.type === "stateset") {
      this.lanes = chart();
      this.shares = make("table", { class: "quantiles" }, make("thead"), make("tbody"));
      this.charts.append(figure("State", scroll("State over time", this.lanes)), figure("Share of the time", scroll("Share of the time in each state", this.shares)));
      return;
    }
    if (family.type === "info") {
      this.said = make("table", { class: "said" }, make("thead"), make("tbody"));
      this.charts.append(figure("Says", scroll(`What ${family.name} says`, this.said)));
      return;
    }
    this.course = chart();
    const titles = { counter: "Per second", summary: "Observations per second", gauge: family.series > 1 || /all/.test(family.aggregation) ? "Lowest to highest" : "Value" };
    if (titles[family.type]) this.charts.append(figure(titles[family.type], make("div", {}, this.course)));
  }

  #windowSwitch(name) {
    const group = make("span", { class: "segments", role: "radiogroup", "aria-label": `Time that the distribution of ${name} is shown for` });
    for (const [label] of WINDOWS) {
      const input = make("input", { type: "radio", name: "window", value: label });
      input.checked = label === this.window;
      input.addEventListener("change", () => {
        this.window = label;
        this.#distribution();
      });
      group.append(make("label", {}, input, make("span", {}, label)));
    }
    return group;
  }

  // What the list knows of the family: drawn at once, before its series are there.
  update(family, history, now) {
    this.family = family;
    this.history = history;
    this.now = now;
    this.unit = unitOf(family);
    const facts = [];
    if (family.unit) facts.push(`Unit: ${family.unit}`);
    if (family.type === "gauge") facts.push(`Aggregation: ${family.aggregation}`);
    if (family.native) facts.push(`Native, schema ${family.native.schema}`);
    if (family.labels.length) facts.push(`Labels: ${family.labels.join(", ")}`);
    if (family.overflows) facts.push(`${whole(family.overflows)} registrations went beyond its cap on series`);
    if (family.hidden_series) facts.push(`${whole(family.hidden_series)} series of an older definition are hidden`);
    say(this.facts, facts.join(" · "));
    this.facts.hidden = !facts.length;
    this.draw();
  }

  draw() {
    const { family, history, now, unit } = this;
    if (family.type === "histogram") {
      this.#distribution();
      this.#quantiles();
    } else if (family.type === "stateset") {
      const label = `${family.name} over the last minutes, now ${nowOf(family, history).filter(Boolean).join(", ")}`;
      updateLanes(this.lanes, family.states, history.points, now, label);
      updateShares(this.shares, family, history);
    } else if (family.type === "info") {
      updateSaid(this.said, family.said ?? [], family.series);
    } else if (family.type === "counter" || family.type === "summary") {
      const field = family.type === "counter" ? "value" : "count";
      // Observations have no unit.
      const counted = family.type === "counter" ? unit : "";
      const points = history.rates(field);
      const floor = points.map(({ time, value }) => ({ time, low: isNothing(value) ? undefined : 0, high: value }));
      updateChart(this.course, [{ points }], floor, now, {
        fromZero: true, unit: counted, text: (value) => (counted === "bytes" ? inUnit(value, counted) : short(value)),
        label: `${family.name} per second over the last minutes, now ${perSecond(history.rate(field), counted)}`,
      });
    } else if (family.type === "gauge") {
      const { points } = history;
      const highs = points.map(({ time, high }) => ({ time, value: high }));
      const lows = points.map(({ time, low }) => ({ time, value: low }));
      const last = points.at(-1);
      updateChart(this.course, [{ points: highs }, { points: lows }], points, now, {
        fromZero: false, unit, text: (value) => inUnit(value, unit),
        label: `${family.name} over the last minutes, now ${gaugeText(last ?? {}, unit)}`,
      });
    }
  }

  #distribution() {
    const [, millis] = WINDOWS.find(([label]) => label === this.window);
    const seen = this.history.window(millis);
    const body = this.bars.tBodies[0];
    const total = seen?.count ?? 0;
    if (!total) {
      body.replaceChildren(make("tr", {}, make("td", { class: "quiet" }, seen ? "Nothing was observed in this time." : "Wait for the second look…")));
      return;
    }
    const { bounds } = this.family;
    const groups = together(this.family, seen.buckets, MOST_BARS);
    const counts = groups.map(({ from, to }) => sum(seen.buckets.slice(from, to + 1)));
    const most = Math.max(...counts);
    const rows = groups.map(({ to }, at) => {
      const name = to < bounds.length ? `≤\u202f${inUnit(bounds[to], this.unit)}` : `>\u202f${inUnit(bounds.at(-1), this.unit)}`;
      const bar = make("span", { class: "bar-fill" });
      bar.style.width = `${((counts[at] / most) * 100).toFixed(2)}%`;
      return make("tr", {},
        make("th", { scope: "row" }, bounds.length ? name : "all"),
        make("td", { class: "bar-room" }, bar),
        make("td", { class: "number", title: whole(counts[at]) }, percent(counts[at] / total)));
    });
    body.replaceChildren(...rows);
  }

  #quantiles() {
    const { family, history, now, unit } = this;
    const drawn = [0.5, 0.9, 0.99];
    const lines = history.quantiles(family, drawn).map((points) => ({ points }));
    const recent = history.window(10_000);
    const words = drawn.map((q) => `p${q * 100} ${recent ? quantileText(quantile(q, family, recent.buckets), unit) : NONE}`);
    updateChart(this.quantiles, lines, [], now, {
      fromZero: true, unit, text: (value) => inUnit(value, unit), label: `Quantiles of ${family.name} over the last minutes, now ${words.join(", ")}`,
    });
    const heads = ["Last", ...QUANTILES.map((q) => `p${Math.round(q * 100)}`), "Mean", "Per second"];
    this.numbers.tHead.replaceChildren(make("tr", {}, ...heads.map((text, at) => make("th", { scope: "col", class: at ? "number" : "" }, text))));
    this.numbers.tBodies[0].replaceChildren(...WINDOWS.map(([label, millis]) => {
      const seen = history.window(millis);
      const cells = QUANTILES.map((q) => (seen ? quantileText(quantile(q, family, seen.buckets), unit) : NONE));
      cells.push(seen?.count ? inUnit(seen.sum / seen.count, unit) : NONE);
      cells.push(seen?.seconds ? perSecond(seen.count / seen.seconds) : NONE);
      return make("tr", {}, make("th", { scope: "row" }, label), ...cells.map((text) => make("td", { class: "number" }, text)));
    }));
  }

  // What only the family's own answer has: its series.
  updateSeries(answer, now) {
    const rows = answer.shown.flatMap((series) => split(series, answer));
    const kept = new Map();
    for (const row of rows) {
      const history = this.series.get(row.key) ?? new History();
      history.add(now, row);
      kept.set(row.key, history);
    }
    this.series = kept;
    const columns = COLUMNS[answer.type] ?? [];
    const heads = ["Labels", ...columns.map(([title]) => title), ...(columns.length && answer.type !== "info" ? ["Last minute"] : [])];
    const head = this.table.tHead;
    if (head.childElementCount === 0) {
      head.append(make("tr", {}, ...heads.map((text, at) => make("th", { scope: "col", class: columns[at - 1] ? classOf(columns[at - 1]) : "" }, text))));
    }
    keyed(this.table.tBodies[0], rows, (row) => row.key, () => makeSeries(columns, answer.type !== "info"), (element, row) => {
      updateSeries(element, row, columns, kept.get(row.key), answer, this.unit, now);
    });
    const count = answer.matched === answer.series ? whole(answer.series) : `${whole(answer.matched)} of ${whole(answer.series)}`;
    say(this.found, count);
    const beyond = answer.matched - answer.shown.length;
    say(this.more, beyond > 0 ? `And ${whole(beyond)} more with smaller values. Search for a label to see them.` : "");
    this.searching.hidden = answer.series < 2 && !this.search;
    // A table of one series without labels would only say again what stands above.
    this.room.hidden = rows.length < 2 && !answer.labels.length && !answer.shown[0]?.processes;
  }

  gone() {
    say(this.more, "This metric is not on the board any more.");
  }
}

// What each column of the series says; words stand on the left.
const COLUMNS = {
  counter: [
    ["Total", (row) => whole(row.value)],
    ["Per second", (row, history, family, unit) => perSecond(history.rate("value"), unit)],
  ],
  gauge: [["Value", (row, history, family, unit) => gaugeText(row, unit)]],
  summary: [
    ["Count", (row) => whole(row.count)],
    ["Mean", (row, history, family, unit) => (row.count ? inUnit(row.sum / row.count, unit) : NONE)],
    ["Per second", (row, history) => perSecond(history.rate("count"))],
  ],
  histogram: [
    ["Count", (row) => whole(row.count)],
    ["p50", (row, history, family, unit) => ofMinute(history, 0.5, family, unit)],
    ["p99", (row, history, family, unit) => ofMinute(history, 0.99, family, unit)],
    ["Per second", (row, history) => perSecond(history.rate("count"))],
  ],
  stateset: [["State", (row, history, family) => family.states[row.held?.indexOf(1)] ?? NONE, "said"]],
  info: [["Says", ({ info }) => Object.entries(info ?? {}).map(([name, value]) => `${name}=${value}`).join(" · ") || NONE, "said"]],
};

const classOf = ([, , name]) => name ?? "number";

function ofMinute(history, q, family, unit) {
  const seen = history.window(60_000);
  return seen ? quantileText(quantile(q, family, seen.buckets), unit) : NONE;
}

// A gauge that has a value for each process is as many rows.
function split(series, family) {
  const labels = family.labels.map((name, at) => [name, series.labels[at]]);
  const reading = readingOf(series);
  if (!series.processes) return [{ key: series.id, labels, created: series.created_unix_millis, info: series.info, ...reading }];
  return series.processes.map(({ pid, value }) => ({
    key: `${series.id} ${pid}`, labels: [...labels, ["pid", pid]], created: series.created_unix_millis, low: toNumber(value), high: toNumber(value),
  }));
}

function makeSeries(columns, hasCourse) {
  const cells = columns.map((column) => make("td", { class: classOf(column) }));
  const spark = columns.length && hasCourse ? [make("td", {}, sparkline())] : [];
  return make("tr", {}, make("th", { scope: "row", class: "labels" }), ...cells, ...spark);
}

function updateSeries(element, row, columns, history, family, unit, now) {
  const [head, ...cells] = element.children;
  if (!head.childElementCount) {
    const pairs = row.labels.map(([name, value]) => make("span", { class: "pair" }, make("b", {}, `${name}=`), value || "″″"));
    head.append(...(pairs.length ? pairs : [make("span", { class: "quiet" }, "no labels")]));
    head.title = `Since ${new Date(row.created).toLocaleString()}`;
  }
  columns.forEach(([, text], at) => say(cells[at], text(row, history, family, unit)));
  if (cells.length > columns.length) updateSparkline(cells.at(-1).firstChild, courseOf(family, history), now, family.type !== "gauge");
}
