// The list of families.

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
  // An address may name one that would come later.
  if (state.open && !state.detail && !state.search && matched > shown.length && !shown.some(({ name }) => name === state.open)) {
    state.search = state.open;
    $("search").value = state.open;
    look();
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
      element.querySelector(".detail")?.remove();
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
