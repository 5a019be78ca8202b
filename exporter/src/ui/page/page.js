// Asks the exporter once a second while somebody looks, and shows what it says.

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

async function ask(path, parameters, signal) {
  const query = new URLSearchParams(Object.entries(parameters).filter(([, value]) => value !== undefined && value !== ""));
  const answer = await fetch(`./api/${path}?${query}`, { signal, cache: "no-store" });
  // A family that has ended.
  if (answer.status === 404 && path === "family") return undefined;
  if (!answer.ok) throw new Error(`it answered with ${answer.status}: ${(await answer.text()).trim()}`);
  return answer.json();
}

function stop() {
  clearTimeout(state.timer);
  state.asking?.abort();
  state.asking = undefined;
}

// One look. A later one takes its place if it has not ended.
async function look() {
  stop();
  if (document.hidden) return;
  const asking = new AbortController();
  state.asking = asking;
  const patience = setTimeout(() => asking.abort("timeout"), PATIENCE);
  const begun = performance.now();
  const { board, open, search, sort, limit, detail } = state;
  let answers;
  try {
    answers = await Promise.all([
      ask("board", { board, search, sort, limit }, asking.signal),
      open && detail?.element.isConnected ? ask("family", { board, name: open, search: detail.search }, asking.signal) : undefined,
    ]);
  } catch (error) {
    if (state.asking === asking) {
      lose(error, asking.signal.reason);
      state.timer = setTimeout(look, 2 * EVERY);
    }
    return;
  } finally {
    clearTimeout(patience);
  }
  if (state.asking !== asking) return;
  const took = performance.now() - begun;
  // At most a tenth of the time is spent asking, however large the board is.
  const next = Math.max(EVERY - took, took * 9);
  state.timer = setTimeout(look, next);
  found(next + took);
  show(...answers, open, detail);
}

function found(every) {
  say($("live-text"), every > 2 * EVERY ? `Live, every ${Math.round(every / 1000)} s` : "Live");
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
    stop();
    $("live").dataset.state = "paused";
    say($("live-text"), "Paused");
  } else {
    look();
  }
});

// Makes the children of `parent` those of `items`, keeping the element of each key, so that what
// has the focus or is selected stays so.
function keyed(parent, items, keyOf, create, update) {
  const before = new Map([...parent.children].map((element) => [element.dataset.key, element]));
  const wanted = new Set(items.map(keyOf));
  // First what goes: what stays is then moved only if its place among the others is new.
  for (const [key, element] of before) {
    if (!wanted.has(key)) element.remove();
  }
  let place = parent.firstElementChild;
  for (const item of items) {
    const key = keyOf(item);
    let element = before.get(key);
    if (!element) {
      element = create(item);
      element.dataset.key = key;
    }
    if (element === place) place = place.nextElementSibling;
    else parent.insertBefore(element, place);
    update(element, item);
  }
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
  if (state.shown !== board.id) {
    state.histories.clear();
    state.detail = undefined;
  }
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
