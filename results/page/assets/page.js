"use strict";
// The page's script. Texts from the study enter the document as text only
// (textContent), never as markup.
(() => {
const data = JSON.parse(document.getElementById("data").textContent);
const $ = id => document.getElementById(id);

// make returns an element with properties and children.
function make(tag, properties, ...children) {
  const e = document.createElement(tag);
  Object.assign(e, properties);
  e.append(...children.filter(c => c !== null && c !== undefined));
  return e;
}

const none = "-";
const points = x => x === null || x === undefined ? none : (100 * x).toFixed(1);
const plusMinus = s => !s ? none : points(s.mean) + (s.se === null || s.mean === null ? "" : " ± " + points(s.se));
const coefficient = w => w.toFixed(3);
const grouped = n => n.toLocaleString("en-US");
const byNumber = new Map(data.trials.map(t => [t.number, t]));

// Weights of a trial by parent: of several groups of tensors, their mean.
function weights(t) {
  return data.parents.map((_, p) => t.weights.reduce((sum, row) => sum + row[p], 0) / t.weights.length);
}

function mixText(t) {
  const parts = weights(t).map((w, i) => [w, data.parents[i]]).filter(([w]) => w !== 0).sort((a, b) => b[0] - a[0]);
  return parts.map(([w, p]) => p + " " + coefficient(w)).join(", ") || "base";
}

// ---- theme

const dark = () => document.documentElement.dataset.theme ?
  document.documentElement.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
const color = name => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();

function showTheme() {
  $("theme").textContent = dark() ? "Light" : "Dark";
  $("theme").setAttribute("aria-pressed", String(dark()));
  $("theme").setAttribute("aria-label", dark() ? "Switch to light colours" : "Switch to dark colours");
  drawAll();
}
$("theme").hidden = false;
$("theme").addEventListener("click", () => {
  document.documentElement.dataset.theme = dark() ? "light" : "dark";
  showTheme();
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", showTheme);
let before;
addEventListener("beforeprint", () => {
  before = document.documentElement.dataset.theme;
  document.documentElement.dataset.theme = "light";
  drawAll();
});
addEventListener("afterprint", () => {
  if (before) document.documentElement.dataset.theme = before; else delete document.documentElement.dataset.theme;
  drawAll();
});

// ---- charts

const canvases = new Map();

// colored replaces names of colours, @accent, by what the style says they are.
function colored(x, key) {
  if (Array.isArray(x)) return x.map(v => colored(v, key));
  if (x && typeof x === "object") return Object.fromEntries(Object.entries(x).map(([k, v]) => [k, colored(v, k)]));
  return typeof x === "string" && x.startsWith("@") && /color$/i.test(key || "") ? color(x.slice(1)) : x;
}

function tip(point) {
  const t = byNumber.get(Number(point.name));
  if (point.seriesType === "bar") return point.name + ", " + point.seriesName + ": " + point.value.toFixed(1) + " s";
  if (point.seriesType === "heatmap" && !(point.data && point.data.name)) return data.categories[point.value[0]] + " and " + data.categories[point.value[1]] + ": " + point.value[2];
  if (point.name === "" || !t) return point.name;
  const lines = ["trial " + t.number + " · " + t.strategy + " · " + t.label, mixText(t).replace(/(.{60}\S*) /g, "$1\n")];
  for (const split of ["search", "selection", "test"]) if (t[split]) lines.push(split + " " + plusMinus(t[split]));
  return lines.join("\n");
}

function optionOf(chart) {
  const o = colored(chart.option);
  const narrow = document.documentElement.clientWidth < 640;
  const line = {lineStyle: {color: color("rule")}};
  o.textStyle = {fontFamily: getComputedStyle(document.body).fontFamily, color: color("ink")};
  o.backgroundColor = "transparent";
  o.animation = false;
  o.aria = {enabled: true, label: {description: chart.title + ". " + chart.text}};
  // The tooltip is drawn, not built of HTML: so no label can become markup.
  o.tooltip = Object.assign(o.tooltip || {}, {renderMode: "richText", formatter: tip, confine: true,
    backgroundColor: color("paper"), borderColor: color("muted"), textStyle: {color: color("ink"), fontSize: 13}});
  o.legend = Object.assign(o.legend || {}, {textStyle: {color: color("ink")}, itemWidth: 18, itemHeight: 10,
    pageTextStyle: {color: color("muted")}, pageIconColor: color("accent"), pageIconInactiveColor: color("rule")});
  for (const axis of [].concat(o.xAxis || [], o.yAxis || [])) {
    Object.assign(axis, {axisLine: line, axisTick: line, splitLine: {show: axis.type === "value", lineStyle: {color: color("rule")}},
      nameTextStyle: {color: color("muted")}, axisLabel: {color: color("muted"), hideOverlap: true, overflow: "truncate", width: narrow ? 70 : 130}});
  }
  // Ends that were chosen are multiples of the distance between ticks.
  for (const axis of [].concat(o.xAxis || [], o.yAxis || [])) if (axis.splitNumber) axis.interval = Number(((axis.max - axis.min) / axis.splitNumber).toPrecision(6));
  for (const axis of [].concat(o.yAxis || [])) Object.assign(axis, {nameTextStyle: {color: color("muted"), align: "left"}});
  for (const axis of o.parallelAxis || []) {
    Object.assign(axis, {scale: axis === o.parallelAxis.at(-1), axisLine: {lineStyle: {color: color("muted")}}, axisTick: {show: false}, splitNumber: 2,
      nameTextStyle: {color: color("ink"), fontSize: 11}, nameTruncate: {maxWidth: narrow ? 40 : 90}, nameRotate: narrow ? 40 : 0,
      axisLabel: {color: color("muted"), fontSize: 10}});
  }
  if (o.visualMap) for (const map of [].concat(o.visualMap)) Object.assign(map, {textStyle: {color: color("muted")}, itemHeight: 120, itemWidth: 12});
  return o;
}

function drawAll() {
  for (const chart of data.charts) {
    const drawn = canvases.get(chart.id);
    if (drawn) drawn.setOption(optionOf(chart), true);
  }
}

const full = new Set(["best", "weights"]);
for (const chart of data.charts) {
  const place = make("div", {id: "chart-" + chart.id});
  place.style.height = chart.height + "px";
  const section = chart.section && $(chart.section);
  (section ? section.querySelector(".drawings") : $("drawings")).append(make("figure", {className: full.has(chart.id) ? "full" : ""},
    make("figcaption", {}, make("strong", {textContent: chart.title}), chart.text), place));
  const drawn = echarts.init(place, null, {renderer: "canvas", devicePixelRatio: Math.max(2, devicePixelRatio)});
  canvases.set(chart.id, drawn);
  drawn.on("click", point => { if (byNumber.has(Number(point.name)) && point.name !== "") openCandidate(Number(point.name)); });
  new ResizeObserver(() => drawn.resize()).observe(place);
}
if (!$("drawings").firstChild) $("charts").hidden = true;

// ---- candidates

const mean = s => s && s.mean !== null ? s.mean : -1;
const columns = [
  {name: "trial", value: t => t.number, number: true},
  {name: "strategy", value: t => t.strategy},
  {name: "label", value: t => t.label},
  {name: "state", value: t => t.state},
  {name: "search", value: t => mean(t.search), text: t => plusMinus(t.search), number: true},
  {name: "selection", value: t => mean(t.selection), text: t => plusMinus(t.selection), number: true},
  {name: "test", value: t => mean(t.test), text: t => plusMinus(t.test), number: true},
  {name: "seconds", value: t => t.seconds, text: t => t.seconds.toFixed(1), number: true},
  {name: "weights", value: t => Math.max(...weights(t)), cell: mix},
];
const order = {column: columns[4], down: true, shown: 50};
const palette = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442", "#999999"]; // Okabe and Ito

// mix draws a candidate's weights as one bar.
function mix(t) {
  const list = weights(t), total = list.reduce((s, w) => s + Math.abs(w), 0) || 1;
  const bar = make("div", {className: "mix", title: mixText(t)});
  bar.setAttribute("role", "img");
  bar.setAttribute("aria-label", mixText(t));
  list.forEach((w, i) => {
    if (w === 0) return;
    const part = make("i");
    part.style.width = 100 * Math.abs(w) / total + "%";
    part.style.background = palette[i % palette.length];
    bar.append(part);
  });
  return bar;
}

function fill(select, values) {
  for (const v of values) select.append(make("option", {value: v, textContent: v}));
}

function heads() {
  $("trials").tHead.rows[0].replaceChildren(...columns.map(c => {
    const on = c === order.column;
    const button = make("button", {type: "button", textContent: c.name + (on ? (order.down ? " ↓" : " ↑") : "")});
    button.addEventListener("click", () => {
      order.down = on ? !order.down : Boolean(c.number) && c.name !== "trial";
      order.column = c;
      showTrials();
      $("trials").tHead.rows[0].cells[columns.indexOf(c)].firstChild.focus();
    });
    const th = make("th", {scope: "col", className: c.number ? "n" : ""}, button);
    th.setAttribute("aria-sort", on ? (order.down ? "descending" : "ascending") : "none");
    return th;
  }));
}

function trialRow(t) {
  const row = make("tr", {className: t.number === data.winner ? "chosen" : ""});
  row.dataset.trial = t.number;
  for (const c of columns) {
    const cell = make("td", {className: c.number ? "n" : ""});
    if (c.name === "trial") cell.append(make("button", {type: "button", textContent: t.number, title: "see this candidate"}));
    else if (c.cell) cell.append(c.cell(t));
    else cell.textContent = (c.text || c.value)(t);
    if (c.name === "label" && t.number === data.winner) cell.append(" ", make("span", {className: "badge accent", textContent: "winner"}));
    row.append(cell);
  }
  row.addEventListener("click", () => openCandidate(t.number));
  return row;
}

function showTrials() {
  const text = $("trialtext").value.toLowerCase(), strategy = $("trialstrategy").value, state = $("trialstate").value;
  const list = data.trials.filter(t => (!strategy || t.strategy === strategy) && (!state || t.state === state) &&
    (!text || t.label.toLowerCase().includes(text) || String(t.number) === text));
  const {value} = order.column, sign = order.down ? -1 : 1;
  const keyed = list.map(t => [value(t), t]);
  keyed.sort(([a, s], [b, t]) => (a < b ? -sign : a > b ? sign : s.number - t.number));
  heads();
  $("trials").tBodies[0].replaceChildren(...keyed.slice(0, order.shown).map(([, t]) => trialRow(t)));
  $("trialcount").textContent = grouped(list.length) + " of " + grouped(data.trials.length);
  $("moretrials").hidden = list.length <= order.shown;
}

$("mixes").append(...data.parents.map((p, i) => {
  const key = make("i");
  key.style.background = palette[i % palette.length];
  return make("span", {}, key, p);
}));
fill($("trialstrategy"), [...new Set(data.trials.map(t => t.strategy))]);
fill($("trialstate"), [...new Set(data.trials.map(t => t.state))].sort());
for (const id of ["trialtext", "trialstrategy", "trialstate"]) $(id).addEventListener("input", () => { order.shown = 50; showTrials(); });
$("moretrials").addEventListener("click", () => { order.shown += 200; showTrials(); });
for (const id of ["trialfilter", "itemfilter"]) $(id).addEventListener("submit", e => e.preventDefault());

function table(heads, rows) {
  return make("div", {className: "scroll"}, make("table", {},
    make("thead", {}, make("tr", {}, ...heads.map((h, i) => make("th", {textContent: h, className: i ? "n" : ""})))),
    make("tbody", {}, ...rows.map(r => make("tr", {}, ...r.map((c, i) => make(i ? "td" : "th", {textContent: c, className: i ? "n" : ""})))))));
}

function openCandidate(number) {
  const t = byNumber.get(number);
  const of = t.of !== t.number ? byNumber.get(t.of) : t;
  $("candidatetitle").textContent = "Trial " + t.number + ": " + t.label;
  const about = [t.strategy, t.state === "cached" ? "cached: the same soup as trial " + t.of : t.state, t.seconds.toFixed(1) + " s"];
  const splits = ["search", "selection", "test"].filter(s => t[s]);
  const body = [make("p", {className: "small", textContent: about.join(" · ")})];
  if (t.reason) body.push(make("p", {className: "warning", textContent: t.reason}));
  body.push(make("h3", {textContent: "Weights"}), table(["parent", ...(t.groups || ["weight"])], data.parents.map((p, i) => [p, ...t.weights.map(row => coefficient(row[i]))])));
  if (splits.length) {
    body.push(make("h3", {textContent: "Scores"}), table(["", ...splits], [
      ["all", ...splits.map(s => plusMinus(t[s]))],
      ...data.categories.map((c, i) => [c, ...splits.map(s => points(t[s].categories[i]))]),
      ["items", ...splits.map(s => grouped(t[s].n))],
      ["not measured", ...splits.map(s => grouped(t[s].lost || 0))],
      ["truncated", ...splits.map(s => grouped(t[s].cut || 0))],
    ]));
  }
  if (marksOf(of.number)) {
    const button = make("button", {type: "button", textContent: "See its items"});
    button.addEventListener("click", () => {
      $("candidate").close();
      $("itemtrial").value = isShown(of.number) ? "" : String(of.number);
      look.shown = 20;
      showItems();
      $("items").scrollIntoView();
    });
    body.push(make("p", {}, button));
  } else {
    body.push(make("p", {className: "small", textContent: "The scores of its single items are not in this file; soup report --json and the ledger have them."}));
  }
  $("candidatebody").replaceChildren(...body);
  $("candidate").showModal();
}
$("candidate").addEventListener("click", e => { if (e.target === $("candidate")) $("candidate").close(); });

// ---- items

const top = data.mark_of.length - 1;
const isShown = trial => data.shown.some(s => s.trial === trial);
const shownAs = name => data.shown.find(s => s.name === name);
const marksOf = trial => (data.shown.find(s => s.trial === trial) || {marks: data.marks[trial]}).marks;
// Right is from half of the score on, as in the report.
const scoreOf = mark => data.mark_of.indexOf(mark) / top;
const measured = mark => mark !== undefined && mark !== "-" && mark !== "!";
const right = mark => measured(mark) && scoreOf(mark) >= .5;
const wrong = mark => measured(mark) && scoreOf(mark) < .5;

const winner = shownAs("winner"), best = shownAs("best single"), parents = data.singles.map(marksOf).filter(Boolean);
const views = [["all items", () => true]];
if (winner) {
  if (best) {
    views.push(["soup wrong, best single right", i => wrong(winner.marks[i]) && right(best.marks[i])]);
    views.push(["soup right, best single wrong", i => right(winner.marks[i]) && wrong(best.marks[i])]);
  }
  if (parents.length) {
    views.push(["soup wrong, a parent right", i => wrong(winner.marks[i]) && parents.some(m => right(m[i]))]);
    views.push(["soup right, all parents wrong", i => right(winner.marks[i]) && parents.every(m => wrong(m[i]))]);
  }
  views.push(["soup wrong", i => wrong(winner.marks[i])]);
  views.push(["soup not measured", i => winner.marks[i] === "!"]);
}
const look = {shown: 20};

function verdictOf(mark) {
  if (mark === "-") return make("span", {className: "badge", textContent: "not asked"});
  if (mark === "!") return make("span", {className: "badge", textContent: "not measured"});
  const s = scoreOf(mark);
  if (s === 1) return make("span", {className: "badge better", textContent: "right"});
  if (s === 0) return make("span", {className: "badge worse", textContent: "wrong"});
  return make("span", {className: "badge " + (s >= .5 ? "better" : "worse"), textContent: points(s)});
}

function itemCard(i) {
  const items = data.items, also = $("itemtrial").value;
  const list = make("dl");
  const entry = (name, text, mark, plain) => make("div", {className: plain === "ask" ? "ask" : ""},
    make("dt", {}, name, mark === undefined ? null : verdictOf(mark)), make("dd", {textContent: text, className: plain === "plain" ? "plain" : ""}));
  if (items.prompt) list.append(entry("prompt", items.prompt[i], undefined, "ask"), entry("expected", items.expected[i]));
  for (const s of data.shown) if (s.marks[i] !== "-") list.append(entry(s.name + ": " + s.label, s.text[i], s.marks[i]));
  if (also && data.marks[also] && data.marks[also][i] !== "-")
    list.append(entry("trial " + also + ": " + byNumber.get(Number(also)).label, "its answers are in the ledger only", data.marks[also][i], "plain"));
  const head = make("h3", {}, items.id[i], make("span", {textContent: data.categories[items.category[i]]}), make("span", {textContent: items.split[i]}));
  const card = make("article", {className: "item"}, head, list);
  card.dataset.item = items.id[i];
  return card;
}

function chosenItems() {
  const items = data.items, [, holds] = views[$("itemwhich").value || 0];
  const category = $("itemcategory").value, split = $("itemsplit").value, text = $("itemtext").value.toLowerCase();
  const has = x => x !== undefined && x.toLowerCase().includes(text);
  const list = [];
  for (let i = 0; i < items.id.length; i++) {
    if (category && data.categories[items.category[i]] !== category || split && items.split[i] !== split || !holds(i)) continue;
    if (text && !(has(items.id[i]) || items.prompt && (has(items.prompt[i]) || has(items.expected[i])) || data.shown.some(s => has(s.text[i])))) continue;
    list.push(i);
  }
  return list;
}

function showItems() {
  const list = chosenItems();
  $("itemlist").replaceChildren(...list.slice(0, look.shown).map(itemCard));
  if (list.length === 0) $("itemlist").append(make("p", {className: "small", textContent: "No item fits."}));
  $("itemcount").textContent = grouped(list.length) + " of " + grouped(data.items.id.length);
  $("moreitems").hidden = list.length <= look.shown;
}

if (!data.items.id || data.items.id.length === 0) {
  $("itemfilter").hidden = true;
  $("itemlist").append(make("p", {className: "small", textContent: "No item has been answered by the winner or a baseline yet."}));
} else {
  views.forEach(([name], i) => $("itemwhich").append(make("option", {value: i, textContent: name})));
  fill($("itemcategory"), data.categories);
  fill($("itemsplit"), [...new Set(data.items.split)]);
  if (data.items.split.includes("test")) $("itemsplit").value = "test";
  for (const number of Object.keys(data.marks || {}).filter(n => !isShown(Number(n))))
    $("itemtrial").append(make("option", {value: number, textContent: "trial " + number + ": " + byNumber.get(Number(number)).label}));
  $("itemtrial").parentElement.hidden = $("itemtrial").options.length < 2;
  for (const id of ["itemwhich", "itemcategory", "itemsplit", "itemtrial", "itemtext"]) $(id).addEventListener("input", () => { look.shown = 20; showItems(); });
  $("moreitems").addEventListener("click", () => { look.shown += 50; showItems(); });
  showItems();
}
showTrials();
showTheme();
})();
