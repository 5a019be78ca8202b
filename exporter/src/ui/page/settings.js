// What can be set: what is looked at, the colours; and the configuration to copy.

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
