// The flow drawn: systems, kinds of event, correlator, view, subscribers; with rates, lag and freshness on the edges.

import { ask } from "./api.js";
import { LEVELS, age, badge, count, drawn, element, moment, plural, table, update } from "./dom.js";

const WIDTH = 1180;
const WORST = ["bad", "warn", "good", "none"];
const SILENT_SECONDS = 26 * 3600;

export async function show(main, every) {
  const problems = element("div", { "aria-live": "polite" });
  const tiles = element("div", { class: "tiles" });
  const picture = element("div", { class: "scroll picture" });
  const list = element("div", { class: "flow-list" });
  const charts = element("div", { class: "charts" });
  const span = element("select", { id: "span", onchange: () => drawCharts() }, element("option", { value: "hour" }, "last hour"), element("option", { value: "day" }, "last day"));
  main.append(
    element("h1", {}, "Flow"), problems, tiles, picture, list,
    element("div", { class: "row" }, element("h2", {}, "History"), element("div", {}, element("label", { class: "hidden", for: "span" }, "Span"), span)), charts);
  let before = null;
  async function draw() {
    const overview = await ask("/console/api/overview");
    const rates = ratesOf(before, overview);
    before = { at: new Date(overview.at).getTime(), feeds: counters(overview) };
    update(problems, problemList(overview));
    update(tiles, tilesOf(overview));
    update(picture, pictureOf(overview, rates));
    update(list, listOf(overview, rates));
  }
  async function drawCharts() {
    const { samples } = await ask(`/console/api/history/${span.value}`);
    update(charts, chart("Records published a second", samples, published, refused), chart("Messages that the view has not taken in", samples, (sample) => sample.lag ?? 0));
  }
  await draw();
  await drawCharts();
  every(2000, draw);
  every(10000, drawCharts);
}

const counters = (overview) => new Map(overview.feeds.map((feed) => [`${feed.system}.${feed.feed}`, [feed.published, feed.dead_lettered]]));

function ratesOf(before, overview) {
  const rates = new Map();
  if (!before) return rates;
  const seconds = (new Date(overview.at).getTime() - before.at) / 1000;
  if (seconds <= 0) return rates;
  for (const [name, [published, refusedNow]] of counters(overview)) {
    const [formerly, refusedThen] = before.feeds.get(name) || [published, refusedNow];
    rates.set(name, [(published - formerly) / seconds, (refusedNow - refusedThen) / seconds]);
  }
  return rates;
}

const MOST_PROBLEMS = 7;

function problemList(overview) {
  const idle = overview.feeds.filter((feed) => feed.state === "ended" || feed.state === "never").length;
  const calm = idle ? `Nothing wants attention; ${plural(idle, "feed")} ${idle === 1 ? "is" : "are"} not read now.` : "All is running; nothing wants attention.";
  if (!overview.problems.length) return element("p", { class: "good" }, calm);
  const known = new Set(overview.feeds.map((feed) => feed.system));
  const lines = (some) => some.map((text) => element("li", {}, linked(text, known)));
  const rest = overview.problems.slice(MOST_PROBLEMS); // the gravest come first, and the picture stays in sight
  return [element("ul", { class: "problems", "aria-label": "Wants attention" }, lines(overview.problems.slice(0, MOST_PROBLEMS))),
    rest.length ? element("details", {}, element("summary", {}, `${count(rest.length)} more`), element("ul", { class: "problems", "aria-label": "Wants attention, too" }, lines(rest))) : null];
}

// A problem with its dead letter or its system one click away.
function linked(text, known) {
  const letter = text.match(/^(.*) \(`visabus dead-letters show ([0-9a-f-]+)`\)$/s);
  if (letter) return [`${letter[1]} `, element("a", { href: `#/dead-letters/${letter[2]}`, "aria-label": `Show the dead letter ${letter[2]}` }, "show it")];
  const feed = text.match(/^(?:the source of )?([A-Z0-9]+)\.[\w-]+/);
  if (feed && known.has(feed[1])) return [text, " ", element("a", { href: `#/systems/${feed[1]}` }, `see ${feed[1]}`)];
  return text;
}

function tilesOf(overview) {
  const alive = overview.correlators.filter((each) => each.alive).length;
  const waiting = overview.dead_letters.reduce((sum, group) => sum + group.waiting, 0);
  const tile = (name, value, level) => element("div", { class: "tile" }, element("span", { class: "soft" }, name), element("b", { class: level }, value));
  const rebuild = overview.rebuild;
  const part = rebuild?.total ? ` ${Math.floor((100 * rebuild.done) / rebuild.total)} %` : "";
  const wrong = rebuild && ["stuck", "lost", "failed"].includes(rebuild.state);
  return [
    rebuild && tile(`Rebuild, edition ${rebuild.edition}`, `${rebuild.state === "running" ? rebuild.stage : rebuild.state}${rebuild.state === "built" ? "" : part}`, wrong ? "bad" : ""),
    tile("Correlators", count(alive), alive ? "" : "bad"),
    tile("Not in the view", count(overview.lag), ""),
    tile("Persons", count(overview.store?.persons), ""),
    tile("Dead letters", count(waiting), waiting ? "bad" : ""),
    tile("Feeds stopped", count(overview.feeds.filter((feed) => feed.state === "stopped").length), overview.feeds.some((feed) => feed.state === "stopped") ? "bad" : ""),
    tile("Feeds paused or waiting", count(overview.feeds.filter((feed) => feed.paused_at || feed.waiting).length), ""),
    tile("Quarantined", count(overview.store?.quarantined), overview.store?.quarantined ? "bad" : ""),
  ].filter(Boolean);
}

function bySystem(overview) {
  const systems = new Map();
  for (const feed of overview.feeds) systems.set(feed.system, [...(systems.get(feed.system) || []), feed]);
  return [...systems].map(([name, feeds]) => {
    const levels = feeds.map((feed) => levelOf(feed));
    const waiting = overview.dead_letters.filter((group) => group.system === name).reduce((sum, group) => sum + group.waiting, 0);
    let level = WORST.find((each) => levels.includes(each));
    if (waiting && (level === "good" || level === "none")) level = "warn";
    const last = feeds.map((feed) => feed.last_batch_at).filter(Boolean).sort().pop();
    return { name, feeds, level, waiting, last };
  });
}

function levelOf(feed) {
  const level = LEVELS[feed.state] || "none";
  const old = feed.last_batch_at && Date.now() - new Date(feed.last_batch_at).getTime() > SILENT_SECONDS * 1000;
  return level === "good" && old ? "warn" : level;
}

const QUIET = new Set(["running", "ended", "never"]); // states that need no word beside the colour

const rateOf = (system, rates, which) => system.feeds.reduce((sum, feed) => sum + ((rates.get(`${feed.system}.${feed.feed}`) || [0, 0])[which] || 0), 0);
const words = (rate) => (rate >= 10 ? Math.round(rate) : rate.toFixed(1));

function pictureOf(overview, rates) {
  const systems = bySystem(overview);
  const rows = Math.max(systems.length, 8);
  const step = 26;
  const height = rows * step + 50;
  const middle = height / 2;
  const alive = overview.correlators.some((each) => each.alive);
  const kinds = Object.entries(overview.events);
  const svg = drawn("svg", { class: "flow", viewBox: `0 0 ${WIDTH} ${height}`, role: "group", "aria-label": "The flow from the systems to the subscribers" });
  const box = (x, y, width, text, note, level, href) => {
    const node = drawn("g", { class: `node ${level}` },
      drawn("rect", { x, y: y - 11, width, height: 22, rx: 4 }), drawn("text", { x: x + 7, y: y + 4 }, text),
      note ? drawn("text", { x: x + width - 7, y: y + 4, "text-anchor": "end", class: "soft" }, note) : null);
    return href ? drawn("a", { href, "aria-label": `${text}: ${note || ""}` }, node) : node;
  };
  const edge = (x1, y1, x2, y2, level, moving) => drawn("path", { class: `edge ${level} ${moving ? "moving" : ""}`, d: `M${x1} ${y1} C${(x1 + x2) / 2} ${y1} ${(x1 + x2) / 2} ${y2} ${x2} ${y2}` });
  const heads = [[20, "Systems"], [430, "Bus"], [640, "Correlator"], [850, "View"], [1030, "Subscribers"]];
  svg.append(...heads.map(([x, text]) => drawn("text", { x, y: 18, class: "head" }, text)));
  systems.forEach((system, at) => {
    const y = 40 + at * step;
    const rate = rateOf(system, rates, 0);
    const refusals = rateOf(system, rates, 1);
    svg.append(drawn("path", { class: `edge ${refusals > 0 ? "bad" : system.level}`, d: `M220 ${y} H345` }), edge(345, y, 420, middle, refusals > 0 ? "bad" : system.level, rate > 0));
    const states = [...new Set(system.feeds.map((feed) => feed.state))].filter((state) => !QUIET.has(state));
    const label = [...states, rate > 0 && `${words(rate)}/s`, age(system.last), system.waiting && `${count(system.waiting)} refused`].filter(Boolean).join(", ");
    svg.append(drawn("text", { x: 228, y: y - 5, class: "soft" }, label));
    svg.append(box(20, y, 200, system.name, count(system.feeds.reduce((sum, feed) => sum + feed.published, 0)), system.level, `#/systems/${encodeURIComponent(system.name)}`));
  });
  const top = middle - (kinds.length - 1) * 15;
  svg.append(drawn("rect", { class: "bus", x: 420, y: top - 19, width: 140, height: (kinds.length - 1) * 30 + 38, rx: 8 }));
  kinds.forEach(([kind, number], at) => svg.append(box(430, top + at * 30, 120, kind, count(number), "none")));
  const store = overview.store;
  svg.append(edge(560, middle, 640, middle, alive ? "good" : "bad", overview.lag > 0), drawn("text", { x: 640, y: middle + 30, class: "soft" }, overview.lag ? `${count(overview.lag)} to take in` : "all taken in"));
  svg.append(box(640, middle, 140, `${overview.correlators.filter((each) => each.alive).length} running`, "", alive ? "good" : "bad"));
  svg.append(edge(780, middle, 850, middle, alive ? "good" : "bad", (store?.backlog || 0) > 0));
  svg.append(box(850, middle, 130, plural(store?.persons ?? 0, "person"), "", store?.quarantined ? "bad" : "good"));
  svg.append(drawn("text", { x: 850, y: middle + 30, class: "soft" }, store?.backlog ? `${count(store.backlog)} to resolve` : "all resolved"));
  svg.append(edge(980, middle, 1030, middle, store?.undelivered ? "warn" : "good", (store?.undelivered || 0) > 0));
  svg.append(box(1030, middle, 130, "changes", store?.undelivered ? `${store.undelivered} wait` : "", store?.undelivered ? "warn" : "good"));
  return svg;
}

function listOf(overview, rates) {
  const heads = [{ text: "System" }, { text: "State" }, { text: "Last batch" }, { text: "Rate", kind: "number" }];
  return table("Systems", heads, bySystem(overview).map((system) => [
    element("a", { href: `#/systems/${encodeURIComponent(system.name)}` }, system.name),
    [badge([...new Set(system.feeds.map((feed) => feed.state))].join(", "), system.level), system.waiting ? ` ${count(system.waiting)} refused` : ""],
    moment(system.last), rateOf(system, rates, 0) > 0 ? `${words(rateOf(system, rates, 0))}/s` : "-"]), { narrow: "close" });
}

const total = (sample, which) => Object.values(sample.feeds).reduce((sum, feed) => sum + feed[which], 0);
function difference(which) {
  return (sample, before) => (before ? Math.max(0, (total(sample, which) - total(before, which)) / (sample.at - before.at)) : 0);
}
const published = difference(0);
const refused = difference(1);

function chart(title, samples, ...lines) {
  const width = 560;
  const height = 110;
  const values = lines.map((value) => samples.map((sample, at) => value(sample, samples[at - 1])));
  const top = Math.max(1, ...values.flat());
  const [first, last] = [samples[0]?.at ?? 0, samples[samples.length - 1]?.at ?? 1];
  const x = (sample) => (last > first ? ((sample.at - first) / (last - first)) * (width - 10) + 5 : 5);
  const paths = values.map((line, at) => drawn("path", { class: `chart ${at ? "second" : ""}`, d: line.map((value, index) => `${index ? "L" : "M"}${x(samples[index]).toFixed(1)} ${(height - 20 - (value / top) * (height - 40)).toFixed(1)}`).join("") || "M0 0" }));
  const latest = values.map((line) => words(line[line.length - 1] ?? 0)).join(" published, ");
  return element("figure", { class: "panel" }, element("figcaption", {}, `${title}: at most ${words(top)}, last ${latest}${values.length > 1 ? " refused" : ""}`),
    drawn("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": title }, drawn("line", { class: "axis", x1: 0, x2: width, y1: height - 20, y2: height - 20 }), ...paths));
}
