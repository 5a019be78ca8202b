// What infos say, and which states hold for how long.

// One name, with the value that most series say and how many others there are.
const saidText = ({ name, total, values }) => `${name}=${values[0].value}${total > 1 ? ` +${whole(total - 1)}` : ""}`;

const sum = (numbers) => numbers.reduce((all, number) => all + number, 0);

// The first and the last place of the states that hold somewhere.
function placesHeld({ time, held = [] }) {
  const low = held.findIndex((series) => series > 0);
  return low < 0 ? { time } : { time, low, high: held.findLastIndex((series) => series > 0) };
}

// The state that holds in most series; in how many it does, or since when, if that was seen.
function stateText({ states }, { points }) {
  const { held, time } = points.at(-1);
  const most = Math.max(...held);
  if (!most) return [NONE, ""];
  const place = held.indexOf(most);
  const all = sum(held);
  if (all > 1) return [states[place], `${whole(most)} of ${whole(all)}`];
  const before = points.findLastIndex((point) => !point.held?.[place]);
  return [states[place], before < 0 ? "" : `for ${duration(time - points[before + 1].time)}`];
}

// Neighbours that are not too far apart: how long the first of them lasted.
function stretches(points, from) {
  return points.slice(0, -1).map((point, at) => ({ begin: Math.max(point.time, from), end: points[at + 1].time, held: point.held, passed: points[at + 1].time - point.time }))
    .filter(({ end, begin, held, passed }) => held && end > begin && passed <= GAP);
}

// For which share of the last `millis` each state held, in the mean over the series.
function sharesHeld(points, millis, states) {
  const last = points.at(-1);
  if (!last) return undefined;
  const shares = states.map(() => 0);
  let seen = 0;
  for (const { begin, end, held } of stretches(points, last.time - millis)) {
    const all = sum(held);
    if (!all) continue;
    seen += end - begin;
    held.forEach((series, at) => { shares[at] += ((end - begin) * series) / all; });
  }
  return seen ? shares.map((share) => share / seen) : undefined;
}

// The course of a state set: a lane for each state, as high as the share of series that it holds in.
const LANE = { height: 24, room: 17, left: 116, letters: 15 };

function updateLanes(svg, states, points, now, label) {
  const width = Math.max(240, svg.parentElement.clientWidth);
  const height = CHART.top + states.length * LANE.height + CHART.bottom;
  const { x, span, parts } = timeAxis(points.map(({ time }) => time), now, { left: LANE.left, width, height });
  const shown = stretches(points, now - span);
  states.forEach((state, at) => {
    const floor = CHART.top + (at + 1) * LANE.height - (LANE.height - LANE.room) / 2;
    const name = state.length > LANE.letters ? `${state.slice(0, LANE.letters - 1)}…` : state;
    parts.push(draw("text", { class: "tick", x: LANE.left - 8, y: floor - 4, "text-anchor": "end" }, name));
    parts.push(draw("line", { class: "grid", x1: LANE.left, x2: width - CHART.right, y1: floor, y2: floor }));
    let path = "";
    let run;
    const close = () => {
      if (run?.share) path += `M${x(run.begin).toFixed(1)} ${floor}v${(-LANE.room * run.share).toFixed(1)}H${x(run.end).toFixed(1)}V${floor}Z`;
    };
    for (const { begin, end, held } of shown) {
      const share = held[at] / (sum(held) || 1);
      if (run && run.share === share && run.end === begin) {
        run.end = end;
        continue;
      }
      close();
      run = { begin, end, share };
    }
    close();
    parts.push(draw("path", { class: "held", d: path }));
  });
  fill(svg, { viewBox: `0 0 ${width} ${height}`, width, height, "aria-label": label });
  svg.replaceChildren(...parts);
}

function updateShares(table, family, history) {
  const windows = WINDOWS.filter(([, millis]) => millis !== undefined);
  const heads = ["State", "Series", ...windows.map(([name]) => name)];
  table.tHead.replaceChildren(make("tr", {}, ...heads.map((text, at) => make("th", { scope: "col", class: at ? "number" : "" }, text))));
  const shares = windows.map(([, millis]) => sharesHeld(history.points, millis, family.states));
  const held = history.points.at(-1)?.held ?? [];
  table.tBodies[0].replaceChildren(...family.states.map((state, at) => {
    const cells = [whole(held[at]), ...shares.map((share) => (share ? percent(share[at]) : NONE))];
    return make("tr", {}, make("th", { scope: "row" }, state), ...cells.map((text) => make("td", { class: "number" }, text)));
  }));
}

function updateSaid(table, said, series) {
  const heads = ["Name", "Value", ...(series > 1 ? ["Series"] : [])];
  table.tHead.replaceChildren(make("tr", {}, ...heads.map((text, at) => make("th", { scope: "col", class: at > 1 ? "number" : "" }, text))));
  const rows = said.flatMap(({ name, total, values }) => [
    ...values.map(({ value, series: count }, at) => [at ? "" : name, value, count]),
    ...(total > values.length ? [["", `and ${whole(total - values.length)} more`, undefined]] : []),
  ]);
  table.tBodies[0].replaceChildren(...rows.map(([name, value, count]) => make("tr", {},
    make("th", { scope: "row" }, name), make("td", { class: "said" }, value), ...(series > 1 ? [make("td", { class: "number" }, count === undefined ? "" : whole(count))] : []))));
}
