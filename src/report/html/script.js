"use strict";
// The table of findings: filter, sort, search, pages, details. Everything that comes from a repository
// is set as text, never as markup, and made visible first.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const findings = data.findings;
  const byId = (id) => document.getElementById(id);
  const body = byId("body");
  if (!body || findings.length === 0) return;

  const SEVERITIES = ["critical", "high", "medium", "low"];
  const AGES = data.ages;
  const HOSTILE = /[\u0000-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\u{e0000}-\u{e0fff}]/gu;
  const NAMED = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };
  const visible = (text) => String(text).replace(HOSTILE, (c) => NAMED[c] || "\\u{" + c.codePointAt(0).toString(16) + "}");
  // In a preformatted block line breaks and tabs mean what they say.
  const visibleBlock = (text) => String(text).split(/(\r?\n|\t)/).map((part, i) => (i % 2 ? part : visible(part))).join("");

  // An element with properties and children; strings become text.
  function el(name, properties, ...children) {
    const node = document.createElement(name);
    for (const [key, value] of Object.entries(properties || {})) {
      if (value === undefined || value === null) continue;
      if (key in node) node[key] = value; else node.setAttribute(key, value);
    }
    node.append(...children.filter((child) => child !== undefined && child !== null));
    return node;
  }

  const count = (n, noun) => n.toLocaleString("en") + " " + noun + (n === 1 ? "" : "s");
  const day = (date) => (date ? date.slice(0, 10) : "");
  const first = (f) => f.first_seen || (f.commit ? f : null);
  const author = (f) => visible((first(f) || {}).author || "");
  const introduced = (f) => (first(f) || {}).date || "";
  const age = (f) => (f.age_days === undefined ? "" : AGES.find(([limit]) => limit === null || f.age_days < limit)[1]);
  const presence = (f) => (f.in_head === undefined ? "" : f.in_head ? "in HEAD" : f.unreachable ? "unreachable" : "history only");

  function place(f) {
    let text = f.path !== undefined ? visible(f.path) : f.message_kind ? f.message_kind + (f.commit ? " of " + f.commit.slice(0, 10) : "") : "stdin";
    for (const member of f.container || []) text += "!" + visible(member);
    return f.line ? text + ":" + f.line + ":" + f.column : text;
  }

  // Long paths break after their slashes.
  const breakable = (path) => path.split(/(?<=\/)/).flatMap((part) => [part, el("wbr")]);

  const COLUMNS = [
    { name: "Severity", key: (f) => SEVERITIES.indexOf(f.severity), cell: (f) => el("span", { className: "severity " + f.severity }, f.severity) },
    { name: "Secret", key: (f) => f.description + f.rule, cell: secretCell },
    { name: "Where", key: place, cell: (f) => el("code", {}, ...breakable(place(f)), f.occurrences > 1 ? el("span", { className: "sub" }, " +" + (f.occurrences - 1) + " more") : null) },
    { name: "Introduced", key: introduced, when: (f) => introduced(f), cell: (f) => el("span", {}, el("span", { className: "day" }, day(introduced(f))), el("br"), el("span", { className: "sub" }, author(f))) },
    { name: "Now", key: (f) => presence(f), when: (f) => presence(f), cell: (f) => el("span", {}, presence(f), f.age_days === undefined ? null : el("br"), f.age_days === undefined ? null : el("span", { className: "sub" }, count(f.age_days, "day"))) },
    { name: "Status", key: (f) => f.status, cell: (f) => el("span", { className: f.status }, f.status === "new" ? "open" : "suppressed") },
  ].filter((column) => !column.when || findings.some(column.when));

  const FILTERS = [
    { key: "status", name: "Status", of: (f) => (f.status === "new" ? "open" : "suppressed") },
    { key: "severity", name: "Severity", of: (f) => f.severity, order: SEVERITIES },
    { key: "category", name: "Category", of: (f) => f.category },
    { key: "rule", name: "Rule", of: (f) => visible(f.rule) },
    { key: "author", name: "Author", of: author },
    { key: "presence", name: "Now", of: presence },
    { key: "age", name: "Age", of: age, order: AGES.map(([, name]) => name) },
  ].filter((filter) => new Set(findings.map(filter.of)).size > 1);

  function secretCell(f) {
    const button = el("button", { type: "button", className: "toggle", "aria-expanded": "false" }, visible(f.description));
    return el("span", {}, button, el("br"), el("code", { className: "sub" }, visible(f.rule) + " · " + visible(f.secret).slice(0, 60)));
  }

  const state = { words: [], filters: {}, sort: 0, descending: false, page: 0, size: 50, shown: findings };
  if (FILTERS.some((filter) => filter.key === "status")) state.filters.status = "open";

  // What a search looks at; made when a finding is first searched.
  const haystacks = new Array(findings.length);
  findings.forEach((f, i) => { f.index = i; });
  const haystack = (f) => (haystacks[f.index] ??= [place(f), f.rule, f.description, f.category, f.fingerprint, f.commit, author(f), f.match,
    ...(f.refs || []), ...(f.locations || []).map(place)].join("\n").toLowerCase());

  function update() {
    const active = FILTERS.filter((filter) => state.filters[filter.key]);
    state.shown = findings.filter((f) => active.every((filter) => filter.of(f) === state.filters[filter.key])
      && state.words.every((word) => haystack(f).includes(word)));
    const keys = new Map(state.shown.map((f) => [f, COLUMNS[state.sort].key(f)]));
    const sign = state.descending ? -1 : 1;
    state.shown.sort((a, b) => {
      const x = keys.get(a), y = keys.get(b);
      return (x < y ? -sign : x > y ? sign : 0) || a.index - b.index;
    });
    state.page = 0;
    render();
  }

  function render(all) {
    const from = all ? 0 : state.page * state.size;
    const rows = state.shown.slice(from, all || from + state.size);
    body.replaceChildren(...rows.map(row));
    if (rows.length === 0) body.append(el("tr", {}, el("td", { colSpan: COLUMNS.length, className: "none" }, "No finding fits these filters.")));
    const total = state.shown.length;
    byId("result").textContent = total === findings.length ? total.toLocaleString("en") + " findings"
      : total.toLocaleString("en") + " of " + findings.length.toLocaleString("en") + " findings";
    pager();
  }

  function row(f) {
    const tr = el("tr", { className: "row" }, ...COLUMNS.map((column) => el("td", {}, column.cell(f))));
    tr.dataset.index = f.index;
    return tr;
  }

  function toggle(tr, open) {
    const button = tr.querySelector(".toggle");
    const isOpen = button.getAttribute("aria-expanded") === "true";
    if (open === isOpen) return;
    button.setAttribute("aria-expanded", String(!isOpen));
    tr.classList.toggle("open", !isOpen);
    if (isOpen) tr.nextElementSibling.remove();
    else tr.after(el("tr", { className: "detail" }, el("td", { colSpan: COLUMNS.length }, ...details(findings[tr.dataset.index]))));
  }

  function person(commit) {
    if (!commit) return null;
    const email = commit.email ? " <" + visible(commit.email) + ">" : "";
    return el("span", {}, el("code", { className: "once" }, commit.commit), commit.author ? " by " + visible(commit.author) + email : "", commit.date ? ", " + commit.date.replace("T", " ") : "");
  }

  function list(items, limit) {
    const nodes = items.slice(0, limit).map((item) => el("li", {}, el("code", {}, item)));
    if (items.length > limit) nodes.push(el("li", {}, "and " + (items.length - limit) + " more"));
    return el("ul", {}, ...nodes);
  }

  function details(f) {
    const secret = f.secret;
    const at = f.match.indexOf(secret);
    const context = el("pre", {}, el("code", {}, ...(at < 0 ? [visibleBlock(f.match)]
      : [visibleBlock(f.match.slice(0, at)), el("mark", {}, visibleBlock(secret)), visibleBlock(f.match.slice(at + secret.length))])));
    const facts = [
      ["Certainty", f.confidence + " confidence" + (f.reasons ? ": " + f.reasons.map((r) => r.replaceAll("-", " ")).join(", ") : "")],
      ["Category", f.category],
      ["Decoded from", (f.decoded || []).join(", then ")],
      ["Places", f.locations ? list(f.locations.map(place), 100) : null],
      ["Parts", f.parts ? list(f.parts.map((part) => visible(part.role) + " at " + place(part)), 20) : null],
      ["Introduced", person(first(f))],
      ["Last held by", person(f.last_seen)],
      ["Now", presence(f)],
      ["Age", f.age_days === undefined ? "" : count(f.age_days, "day")],
      ["Kept by", f.unreachable],
      ["Reachable from", f.refs && f.refs.length ? list(f.refs.map(visible), 20) : null],
      ["History", f.blobs ? [count(f.blobs, "blob"), count(f.paths, "path"), count(f.commits, "commit")].join(", ") : ""],
      ["Decision", f.suppression ? decision(f.suppression) : ""],
      ["Fingerprint", el("code", { className: "once" }, f.fingerprint)],
      ...steps(f),
    ].filter(([, value]) => value);
    return [context, el("dl", {}, ...facts.flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]))];
  }

  function decision(why) {
    const who = [why.by, why.on].filter(Boolean).map(visible).join(", ");
    return [why.kind, why.status, why.reason].filter(Boolean).map(visible).join(" · ") + (who ? " (" + who + ")" : "");
  }

  function steps(f) {
    const r = data.rules[f.rule];
    if (!r) return [];
    const link = /^https:\/\//.test(r.url || "") ? el("a", { href: r.url, rel: "noopener noreferrer" }, visible(r.url)) : null;
    return [["Opens", visible(r.opens || "")], ["Revoke", visible(r.revoke || "")], ["Rotate", visible(r.rotate || "")],
      ["Command", r.command ? el("code", { className: "once" }, visible(r.command)) : null], ["See", link]];
  }

  function head() {
    byId("head").replaceChildren(...COLUMNS.map((column, i) => {
      const button = el("button", { type: "button" }, column.name);
      button.addEventListener("click", () => {
        state.descending = state.sort === i && !state.descending;
        state.sort = i;
        head();
        byId("head").children[i].firstChild.focus();
        update();
      });
      const sorted = state.sort === i ? (state.descending ? "descending" : "ascending") : null;
      return el("th", { scope: "col", "aria-sort": sorted }, button);
    }));
  }

  function pager() {
    const pages = Math.max(1, Math.ceil(state.shown.length / state.size));
    const go = (name, page, enabled) => {
      const button = el("button", { type: "button", disabled: !enabled }, name);
      button.addEventListener("click", () => { state.page = page; render(); byId("findings").scrollIntoView({ block: "start" }); });
      return button;
    };
    const size = el("select", {}, ...[25, 50, 100, 250].map((n) => el("option", { value: n, selected: n === state.size }, String(n))));
    size.addEventListener("change", () => { state.size = Number(size.value); state.page = 0; render(); });
    byId("pager").hidden = state.shown.length <= 25;
    byId("pager").replaceChildren(
      el("label", {}, "Rows", size),
      el("span", { className: "buttons" }, go("First", 0, state.page > 0), go("Previous", state.page - 1, state.page > 0),
        el("span", {}, "Page " + (state.page + 1) + " of " + pages), go("Next", state.page + 1, state.page + 1 < pages), go("Last", pages - 1, state.page + 1 < pages)));
  }

  const selects = {};
  for (const filter of FILTERS) {
    const counts = new Map();
    for (const f of findings) counts.set(filter.of(f), (counts.get(filter.of(f)) || 0) + 1);
    const rank = (value) => (filter.order ? filter.order.indexOf(value) : 0);
    const values = [...counts.keys()].filter(Boolean).sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
    const select = el("select", {}, el("option", { value: "" }, "all"), ...values.map((v) => el("option", { value: v }, v + " (" + counts.get(v) + ")")));
    select.value = state.filters[filter.key] || "";
    select.addEventListener("change", () => { state.filters[filter.key] = select.value; update(); });
    selects[filter.key] = select;
    byId("selects").append(el("label", {}, filter.name, select));
  }

  function choose(filters) {
    for (const key of Object.keys(selects)) {
      state.filters[key] = filters[key] ?? "";
      selects[key].value = state.filters[key];
    }
    byId("search").value = "";
    state.words = [];
    update();
  }

  let waiting = 0;
  byId("search").addEventListener("input", (event) => {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      state.words = event.target.value.toLowerCase().split(/\s+/).filter(Boolean);
      update();
    }, 80);
  });
  byId("filters").addEventListener("submit", (event) => event.preventDefault());
  byId("reset").addEventListener("click", () => choose({}));
  for (const button of document.querySelectorAll("[data-filter]")) {
    button.addEventListener("click", () => {
      choose({ status: selects.status ? "open" : "", [button.dataset.filter]: button.dataset.value });
      byId("findings").scrollIntoView();
    });
  }
  body.addEventListener("click", (event) => {
    const tr = event.target.closest("tr.row");
    // A click that ends a selection of text is not meant to fold the row.
    if (tr && !event.target.closest("a") && String(getSelection()) === "") toggle(tr);
  });
  document.addEventListener("keydown", (event) => {
    const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      byId("search").focus();
    } else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && event.target.classList.contains("toggle")) {
      const toggles = [...body.querySelectorAll(".toggle")];
      const next = toggles[toggles.indexOf(event.target) + (event.key === "ArrowDown" ? 1 : -1)];
      if (next) { event.preventDefault(); next.focus(); }
    }
  });

  // On paper there are no pages to turn.
  const PRINTED = 10000;
  addEventListener("beforeprint", () => {
    render(PRINTED);
    for (const node of document.querySelectorAll("#skipped details")) node.open = true;
  });
  addEventListener("afterprint", () => render());

  // #f-<fingerprint> opens a finding.
  function follow() {
    const wanted = /^#f-([0-9a-f]+)$/.exec(location.hash);
    const f = wanted && findings.find((candidate) => candidate.fingerprint.startsWith(wanted[1]));
    if (!f) return;
    choose({});
    state.page = Math.floor(state.shown.indexOf(f) / state.size);
    render();
    const tr = body.querySelector('tr[data-index="' + f.index + '"]');
    toggle(tr, true);
    tr.scrollIntoView({ block: "center" });
  }
  addEventListener("hashchange", follow);

  byId("filters").hidden = false;
  head();
  update();
  follow();
})();
