// The board as such: which there are, how full this one is, who writes to it.

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
    make("dd", { class: "track" }, make("div", { class: "meter", role: "meter", "aria-label": name, "aria-valuemin": 0 }, make("span")))), (element, [name, used, all, text]) => {
    const [, words, room] = element.children;
    const meter = room.firstChild;
    say(words, `${text(used)} of ${text(all)}`);
    fill(meter, { "aria-valuenow": used, "aria-valuemax": all, "aria-valuetext": `${text(used)} of ${text(all)}` });
    meter.firstChild.style.width = `${all ? Math.min(100, (used / all) * 100) : 0}%`;
    // Memory and planes are meant to be used up; a board without slots refuses.
    meter.classList.toggle("bad", (name === "Slots" || name === "Process rows") && used / all > 0.9);
  });
  const facts = [
    ["Parts of gauges", full.parts], ["Slots leaked, until the next sweep", full.leaked], ["Slots given back", full.reclaimed], ["Dead processes settled", full.reaped],
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
