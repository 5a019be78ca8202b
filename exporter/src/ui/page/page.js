// The page: asks the exporter once a second while somebody looks, and shows what it says.

const $ = (id) => document.getElementById(id);
const EVERY = 1_000;
const PATIENCE = 10_000;
const FIRST = 100;
const MOST = 500;

const state = {
  board: undefined,
  open: undefined,
  search: "",
  sort: "name",
  limit: FIRST,
  // By family, as long as it is shown or was a short while ago.
  histories: new Map(),
  detail: undefined,
  timer: undefined,
  asking: undefined,
  // Since when nobody answers.
  lost: undefined,
};

// ---- What a value is, over time

function readingOf(answer) {
  const reading = {};
  for (const field of ["value", "low", "high", "count", "sum"]) {
    if (answer[field] !== undefined) reading[field] = toNumber(answer[field]);
  }
  if (answer.buckets) reading.buckets = answer.buckets;
  return reading;
}

function courseOf(family, history) {
  if (family.type === "counter") return history.rates("value");
  if (family.type === "gauge") return history.points;
  if (family.type === "histogram" || family.type === "summary") return history.rates("count");
  return [];
}

function gaugeText({ low, high }, unit) {
  if (low === undefined) return NONE;
  if (low === high || (Number.isNaN(low) && Number.isNaN(high))) return inUnit(high, unit);
  return `${inUnit(low, unit)} … ${inUnit(high, unit)}`;
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
      const p = (q) => quantileText(quantile(q, family.bounds, seen.buckets), unit);
      return [perSecond(history.rate("count")), seen?.count ? `p50 ${p(0.5)} · p99 ${p(0.99)}` : `${whole(last.count)} in all`];
    }
    default:
      return [NONE, ""];
  }
}

// ---- Asking

async function ask(path, parameters, signal) {
  const query = new URLSearchParams(Object.entries(parameters).filter(([, value]) => value !== undefined && value !== ""));
  const answer = await fetch(`./api/${path}?${query}`, { signal, cache: "no-store" });
  if (answer.status === 404) return undefined;
  if (!answer.ok) throw new Error(`it answered with ${answer.status}: ${(await answer.text()).trim()}`);
  return answer.json();
}

// One look. A later one takes its place if it has not ended.
async function look() {
  clearTimeout(state.timer);
  state.asking?.abort();
  if (document.hidden) return;
  const asking = new AbortController();
  state.asking = asking;
  const patience = setTimeout(() => asking.abort("timeout"), PATIENCE);
  const begun = performance.now();
  let next = EVERY;
  try {
    const { board, open, search, sort, limit, detail } = state;
    const [answer, series] = await Promise.all([
      ask("board", { board, search, sort, limit }, asking.signal),
      open && detail ? ask("family", { board, name: open, search: detail.search }, asking.signal) : undefined,
    ]);
    if (state.asking !== asking) return;
    const took = performance.now() - begun;
    // At most a tenth of the time is spent asking, however large the board is.
    next = Math.max(EVERY - took, took * 9);
    found();
    show(answer, series, open, detail);
    say($("live-text"), next > 2 * EVERY ? `Live, every ${Math.round((next + took) / 1000)} s` : "Live");
  } catch (error) {
    if (state.asking !== asking) return;
    lose(error, asking.signal.reason);
    next = 2 * EVERY;
  } finally {
    clearTimeout(patience);
    if (state.asking === asking) state.timer = setTimeout(look, next);
  }
}

function found() {
  $("live").dataset.state = "live";
  if (state.lost !== undefined) notice("");
  state.lost = undefined;
}

function lose(error, reason) {
  state.lost ??= Date.now();
  $("live").dataset.state = "lost";
  say($("live-text"), "No answer");
  // A fetch that got no answer says so in words of the browser's own.
  const why = reason === "timeout" ? "it takes longer than 10 s" : error instanceof TypeError ? "it cannot be reached" : error.message;
  const kept = $("content").hidden ? "" : " What you see is what it said last.";
  notice(`The exporter does not answer since ${clock(state.lost)}: ${why}.${kept} This page goes on asking.`);
}

function notice(text) {
  say($("notice"), text);
  $("notice").classList.toggle("shown", text !== "");
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) {
    clearTimeout(state.timer);
    $("live").dataset.state = "paused";
    say($("live-text"), "Paused");
  } else {
    look();
  }
});

// ---- Showing

// Makes the children of `parent` those of `items`, keeping the element of each key, so that what
// has the focus or is selected stays so.
function keyed(parent, items, keyOf, create, update) {
  const before = new Map([...parent.children].map((element) => [element.dataset.key, element]));
  let place = parent.firstElementChild;
  for (const item of items) {
    const key = keyOf(item);
    let element = before.get(key);
    before.delete(key);
    if (!element) {
      element = create(item);
      element.dataset.key = key;
    }
    if (element === place) place = place.nextElementSibling;
    else parent.insertBefore(element, place);
    update(element, item);
  }
  for (const element of before.values()) element.remove();
}

function show(answer, series, asked, detail) {
  const now = answer.now_unix_millis;
  showBoards(answer);
  const { board } = answer;
  $("vacant").hidden = Boolean(board);
  $("content").hidden = !board;
  document.title = board ? `${board.label} · Tallyboard` : "Tallyboard";
  if (!board) {
    showVacant(answer);
    return;
  }
  // Another board at the same place begins anew.
  if (state.shown !== board.id) state.histories.clear();
  state.shown = board.id;
  say($("where"), board.location);
  showFamilies(board.families, now);
  showTiles(board);
  showFullness(board.fullness);
  showRefused(board.refused);
  showProcesses(board.processes, now);
  if (detail && detail === state.detail && asked === state.open) {
    if (series) {
      // A family that is too large for the list has its values only here.
      const history = state.histories.get(series.id);
      if (history?.add(now, readingOf(series))) detail.update(series, history, now);
      detail.updateSeries(series, now);
    } else {
      detail.gone();
    }
  }
}

function showBoards({ boards, board }) {
  $("picker").hidden = boards.length < 2;
  keyed($("board"), boards, ({ label }) => label, ({ label }) => make("option", { value: label }), (option, { label, mapped }) => {
    say(option, mapped ? label : `${label} (not there)`);
  });
  const chosen = state.board ?? board?.label;
  if (chosen !== undefined && document.activeElement !== $("board")) $("board").value = chosen;
}

function showVacant({ boards }) {
  const wanted = boards.filter(({ label }) => state.board === undefined || label === state.board);
  const one = wanted.length === 1;
  say($("vacant-text"), wanted.length === 0 ? "No file matches what the exporter was told to serve. It looks again every second."
    : `The exporter waits for ${one ? "this board" : "one of these boards"} and shows it here as soon as it is there.`);
  keyed($("vacant-boards"), wanted, ({ label }) => label, () => make("li", {}, make("code"), make("span", { class: "quiet" })), (element, { location, problem }) => {
    say(element.firstChild, location);
    say(element.lastChild, problem ?? "");
  });
}

function showTiles({ fullness, processes, refused }) {
  const lost = refused.reduce((sum, { count }) => sum + count, 0);
  const tiles = [
    ["Series", whole(fullness.series)],
    ["Metrics", whole(fullness.families)],
    ["Processes", whole(processes.alive)],
    ["Slots used", share(fullness.slots_used, fullness.slots)],
    ["Refused", whole(lost), lost > 0],
  ];
  keyed($("tiles"), tiles, ([name]) => name, ([name]) => make("div", {}, make("dt", {}, name), make("dd")), (element, [, text, isBad]) => {
    say(element.lastChild, text);
    element.classList.toggle("bad", Boolean(isBad));
  });
}

const share = (used, all) => (all ? `${used && used / all < 0.001 ? "<\u202f0.1" : trim(((used / all) * 100).toFixed(1))}\u202f%` : NONE);

function showFullness(full) {
  const meters = [
    ["Slots", full.slots_used, full.slots, whole],
    ["Process rows", full.processes_used, full.processes, whole],
    ["CPU planes", full.planes_ready, full.planes, whole],
    ["Memory", full.bytes_reserved, full.bytes_total, (value) => inUnit(value, "bytes")],
  ];
  keyed($("meters"), meters, ([name]) => name, ([name]) => make("div", {}, make("dt", {}, name), make("dd", { class: "number" }),
    make("dd", { class: "meter", role: "meter", "aria-label": name, "aria-valuemin": 0 }, make("span"))), (element, [name, used, all, text]) => {
    const [, words, meter] = element.children;
    say(words, `${text(used)} of ${text(all)}`);
    fill(meter, { "aria-valuenow": used, "aria-valuemax": all, "aria-valuetext": `${text(used)} of ${text(all)}` });
    meter.firstChild.style.width = `${all ? Math.min(100, (used / all) * 100) : 0}%`;
    // Memory and planes are meant to be used up; a board without slots refuses.
    meter.classList.toggle("bad", (name === "Slots" || name === "Process rows") && used / all > 0.9);
  });
  const facts = [
    ["Parts of gauges", full.parts], ["Slots given back", full.reclaimed], ["Dead processes settled", full.reaped],
    ["Gauges folded", full.folded], ["Series expired", full.expired], ["Beyond a cap", full.overflowed],
    ["Planes refused", full.planes_refused], ["Damaged records", full.damaged],
  ].filter(([, value]) => value > 0);
  keyed($("facts"), facts, ([name]) => name, ([name]) => make("div", {}, make("dt", {}, name), make("dd", { class: "number" })), (element, [, value]) => say(element.lastChild, whole(value)));
}

function showRefused(refused) {
  const list = refused.length ? refused : [{ reason: "" }];
  keyed($("refused"), list, ({ reason }) => reason, ({ reason, advice }) => (reason
    ? make("div", {}, make("dt", {}, reason.replaceAll("_", " ")), make("dd", { class: "number" }), make("dd", { class: "quiet" }, advice))
    : make("div", {}, make("dt", { class: "quiet" }, "Nothing was refused."))), (element, { count }) => {
    if (count !== undefined) say(element.children[1], whole(count));
  });
}

function showProcesses({ total, alive, shown }, now) {
  const gone = total - alive;
  const words = total === 0 ? "No process is on this board now. One that has registered something and lives is shown here."
    : `${whole(alive)} alive${gone ? `, ${whole(gone)} gone and not settled yet` : ""}`;
  say($("processes-text"), words);
  $("processes").hidden = total === 0;
  keyed($("processes").tBodies[0], shown, ({ row, since_unix_millis: since }) => `${row} ${since}`, () => make("tr", {}, make("td", { class: "number" }), make("th", { scope: "row" }), make("td"), make("td", { class: "number" })), (element, one) => {
    const [pid, name, since, gauges] = element.children;
    say(pid, one.pid);
    say(name, one.alive ? one.name : `${one.name} (gone)`);
    say(since, duration(now - one.since_unix_millis));
    say(gauges, whole(one.gauges));
    since.title = new Date(one.since_unix_millis).toLocaleString();
    name.title = `Library ${one.version}`;
    element.classList.toggle("quiet", !one.alive);
  });
  say($("processes-more"), total > shown.length ? `And ${whole(total - shown.length)} more: tallyboard ps lists all.` : "");
}

function showFamilies({ total, matched, shown }, now) {
  for (const family of shown) {
    const history = state.histories.get(family.id) ?? new History();
    const reading = readingOf(family);
    if (Object.keys(reading).length) history.add(now, reading);
    // Last in the order of the map: those that are not seen for long come first.
    state.histories.delete(family.id);
    state.histories.set(family.id, history);
  }
  for (const id of state.histories.keys()) {
    if (state.histories.size <= MOST) break;
    state.histories.delete(id);
  }
  keyed($("rows"), shown, ({ name }) => name, makeFamily, (element, family) => updateFamily(element, family, now));
  const names = (count) => `${whole(count)} ${count === 1 ? "metric" : "metrics"}`;
  say($("found"), state.search ? `${names(matched)} of ${whole(total)} found` : total === 0 ? "Nothing is counted on this board yet." : "");
  const left = matched - shown.length;
  $("more").hidden = left <= 0;
  $("more").disabled = state.limit >= MOST;
  say($("more"), state.limit >= MOST ? `And ${whole(left)} more: search for them` : `And ${whole(left)} more: show some`);
}

function makeFamily({ name, type }) {
  const button = make("button", { type: "button", class: "name", "aria-expanded": "false" }, name);
  button.addEventListener("click", () => toggle(name));
  return make("li", {}, make("div", { class: "row" },
    make("div", { class: "title" }, button, make("p", { class: "help" })),
    make("div", { class: "type" }, make("span", { class: `tag ${type}` }, type)),
    make("div", { class: "number count" }, make("span"), make("span", { class: "words" }, "series")),
    make("div", { class: "number now" }, make("strong"), make("small")),
    sparkline()));
}

function updateFamily(element, family, now) {
  const row = element.firstChild;
  const [title, type, count, current, spark] = row.children;
  const history = state.histories.get(family.id);
  const isOpen = state.open === family.name;
  const help = title.lastChild;
  say(help, family.help);
  help.title = family.help;
  if (type.firstChild.textContent !== family.type) {
    type.firstChild.className = `tag ${family.type}`;
    say(type.firstChild, family.type);
  }
  say(count.firstChild, whole(family.series));
  const [first, second] = nowOf(family, history);
  say(current.firstChild, first);
  say(current.lastChild, second);
  updateSparkline(spark, courseOf(family, history), now, family.type !== "gauge");
  fill(title.firstChild, { "aria-expanded": String(isOpen) });
  element.classList.toggle("open", isOpen);
  if (isOpen && (!state.detail || state.detail.type !== family.type)) state.detail = new Detail(family, look);
  if (isOpen) {
    title.firstChild.setAttribute("aria-controls", "detail");
    if (element.lastChild !== state.detail.element) {
      element.append(state.detail.element);
      look();
    }
    state.detail.update(family, history, now);
  } else {
    title.firstChild.removeAttribute("aria-controls");
    if (element.childElementCount > 1) element.lastChild.remove();
  }
}

function toggle(name) {
  state.open = state.open === name ? undefined : name;
  state.detail = undefined;
  remember();
  look();
}

// ---- What can be set

// The address tells what is looked at, so that it can be kept and sent to somebody.
function remember() {
  const { board, open, search, sort } = state;
  const parameters = { board, metric: open, search, sort: sort === "name" ? undefined : sort };
  const kept = new URLSearchParams(Object.entries(parameters).filter(([, value]) => value));
  window.history.replaceState(null, "", kept.size ? `#${kept}` : location.pathname + location.search);
}

function recall() {
  const kept = new URLSearchParams(location.hash.slice(1));
  // The skip link's target is no state.
  if (location.hash && !location.hash.includes("=")) return;
  state.board = kept.get("board") ?? undefined;
  state.open = kept.get("metric") ?? undefined;
  state.search = kept.get("search") ?? "";
  state.sort = kept.get("sort") === "series" ? "series" : "name";
  state.detail = undefined;
  $("search").value = state.search;
  $("sort").value = state.sort;
}

let typing;
$("search").addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(() => {
    state.search = $("search").value.trim();
    state.limit = FIRST;
    remember();
    look();
  }, 120);
});
$("sort").addEventListener("change", () => {
  state.sort = $("sort").value;
  remember();
  look();
});
$("board").addEventListener("change", () => {
  state.board = $("board").value;
  state.open = undefined;
  state.detail = undefined;
  state.limit = FIRST;
  remember();
  look();
});
$("more").addEventListener("click", () => {
  state.limit = Math.min(MOST, state.limit + FIRST);
  look();
});
window.addEventListener("hashchange", () => {
  recall();
  look();
});
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const at = document.activeElement;
  const isTyping = at.matches("input[type=search], select");
  if (event.key === "/" && !isTyping) {
    event.preventDefault();
    $("search").focus();
    $("search").select();
  } else if (event.key === "Escape" && at === $("search")) {
    $("search").value = "";
    $("search").dispatchEvent(new Event("input"));
  } else if (event.key === "Escape" && state.open && !isTyping) {
    const button = $("rows").querySelector("[aria-expanded=true]");
    toggle(state.open);
    button?.focus();
  } else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && (at === $("search") || at.matches(".name"))) {
    const names = [...$("rows").querySelectorAll(".name")];
    const next = names.indexOf(at) + (event.key === "ArrowDown" ? 1 : -1);
    event.preventDefault();
    (names[next] ?? (next < 0 ? $("search") : at)).focus();
  }
});

// ---- Colours

// A browser may refuse to keep anything.
function kept(name) {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}

function theme(name) {
  if (name === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = name;
}

const chosen = ["light", "dark"].find((name) => name === kept("tallyboard-theme")) ?? "auto";
theme(chosen);
for (const input of document.getElementsByName("theme")) {
  input.checked = input.value === chosen;
  input.addEventListener("change", () => {
    theme(input.value);
    try {
      localStorage.setItem("tallyboard-theme", input.value);
    } catch {
      // It holds for this visit.
    }
  });
}

// ---- The configuration to copy

function configuration() {
  const metrics = new URL($("metrics-link").href);
  const lines = ["scrape_configs:", "  - job_name: tallyboard"];
  if (metrics.protocol === "https:") lines.push("    scheme: https");
  if (metrics.pathname !== "/metrics") lines.push(`    metrics_path: ${JSON.stringify(metrics.pathname)}`);
  lines.push("    static_configs:", `      - targets: [${JSON.stringify(metrics.host)}]`);
  return lines.join("\n");
}

say($("configuration"), configuration());
const LOCAL = /^(localhost|127\.|\[::1\])/;
say($("scrape-hint"), LOCAL.test(location.hostname) ? "Put this machine's name in place of the address if Prometheus runs on another." : "");
$("copy").addEventListener("click", async () => {
  let isCopied = true;
  try {
    await navigator.clipboard.writeText($("configuration").textContent);
  } catch {
    // Without TLS there is no clipboard for scripts: select it, so that one key copies it.
    getSelection().selectAllChildren($("configuration"));
    isCopied = false;
  }
  say($("copy"), isCopied ? "Copied" : "Selected");
  setTimeout(() => say($("copy"), "Copy"), 2_000);
});

recall();
look();
