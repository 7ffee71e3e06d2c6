// A person's stays on a time line, with the evidence beneath, and as_of as a slider.

import { ask } from "./api.js";
import { badge, drawn, element, table, time } from "./dom.js";

const GOOD = new Set(["IN_STATUS", "DEPARTED_IN_TIME", "ADJUSTED", "NATURALIZED"]);
const BAD = new Set(["OVERSTAY_SUSPECTED", "DEPARTED_LATE", "TERMINATED"]);
const level = (outcome) => (GOOD.has(outcome) ? "good" : BAD.has(outcome) ? "bad" : "warn");

export async function show(main, every, about) {
  const input = element("input", { id: "number", value: about || "", autocomplete: "off", spellcheck: "false", size: "42", placeholder: "passport/GBR/543456789 or a person id" });
  const go = (event) => {
    event.preventDefault();
    location.hash = `#/persons/${encodeURIComponent(input.value.trim())}`;
  };
  main.append(element("h1", {}, "Persons"), element("form", { class: "row", onsubmit: go }, element("div", {}, element("label", { for: "number" }, "Number (scheme/value or scheme/issuer/value), or person id"), input), element("button", { type: "submit", class: "main" }, "Show")));
  if (!about) return input.focus();
  const asked = questionOf(about);
  if (!asked) throw new Error("That is no number and no person id: write scheme/value, scheme/issuer/value, or 32 hexadecimal digits.");
  const slider = element("input", { type: "range", id: "as-of", min: "0", max: "1000", value: "1000", "aria-describedby": "as-of-text" });
  const text = element("output", { id: "as-of-text", for: "as-of" });
  const content = element("div", { "aria-live": "polite" });
  const whole = await ask("/v1/timeline", { body: asked });
  const now = Date.now();
  const begins = whole.persons.flatMap((person) => person.stays.map((stay) => new Date(stay.since).getTime()));
  const first = Math.min(now - 365 * 86400000, ...begins) - 30 * 86400000;
  const last = now + 365 * 86400000;
  const at = () => new Date(first + ((last - first) * slider.value) / 1000);
  slider.value = String(Math.round(((now - first) / (last - first)) * 1000));
  let running = null;
  async function draw() {
    text.value = `as of ${time(at())}`;
    running?.abort();
    running = new AbortController();
    try {
      const status = await ask("/v1/status", { body: { ...asked, as_of: at().toISOString().slice(0, 19) + "Z" }, signal: running.signal });
      content.replaceChildren(...status.persons.map((person, index) => personOf(person, whole.persons.find((each) => each.person === person.person) || whole.persons[index], first, last, at().getTime())));
    } catch (error) {
      if (error.name !== "AbortError") content.replaceChildren(element("p", { class: "bad" }, error.message));
    }
  }
  let waiting = null;
  slider.addEventListener("input", () => {
    text.value = `as of ${time(at())}`;
    clearTimeout(waiting);
    waiting = setTimeout(draw, 120);
  });
  main.append(element("div", { class: "panel" }, element("label", { for: "as-of" }, "How things stood"), slider, text), content);
  await draw();
}

function questionOf(about) {
  if (/^[0-9a-f]{32}$/.test(about)) return { person: about };
  const parts = about.split("/");
  if (parts.length === 2) return { scheme: parts[0].toLowerCase(), value: parts[1] };
  if (parts.length === 3) return parts[1] ? { scheme: parts[0].toLowerCase(), issuer: parts[1], value: parts[2] } : { scheme: parts[0].toLowerCase(), value: parts[2] };
  return null;
}

function personOf(person, whole, first, last, at) {
  const identity = person.identity;
  const present = person.present;
  return element("section", { class: "panel", "aria-label": `Person ${person.person}` },
    element("h2", {}, identity.names.map((name) => `${name.family}, ${name.given}`).join("; ") || "without a name"),
    element("p", {}, present ? [badge(present.outcome, level(present.outcome)), ` ${present.rule}, ${present.citation}`] : "No stay had begun then."),
    element("dl", {}, [["Born", identity.births.join(", ")], ["Citizenship", identity.citizenship.join(", ")], ["Numbers", identity.identifiers.join(", ")], ["Records", identity.records], ["Person", person.person]].map(([name, value]) => [element("dt", {}, name), element("dd", {}, String(value || "-"))])),
    whole?.stays.length ? element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Stays" }, lineOf(whole.stays, first, last, at)) : element("p", {}, "No stays."),
    evidenceOf(whole?.stays || [], at));
}

function lineOf(stays, first, last, at) {
  const width = 1100;
  const row = 46;
  const x = (moment) => Math.max(0, Math.min(width, ((moment - first) / (last - first)) * width));
  const svg = drawn("svg", { class: "stays", viewBox: `0 0 ${width} ${stays.length * row + 26}`, role: "img", "aria-label": "Stays over time" });
  stays.forEach((stay, index) => {
    const y = index * row + 18;
    stay.intervals.forEach((interval) => {
      const from = x(new Date(interval.since).getTime());
      const until = interval.until ? x(new Date(interval.until).getTime()) : width;
      svg.append(drawn("rect", { class: `bar ${level(interval.outcome)}`, x: from, y, width: Math.max(2, until - from), height: 16 }, drawn("title", {}, `${interval.outcome} since ${time(interval.since)}`)));
    });
    svg.append(drawn("text", { x: Math.min(x(new Date(stay.since).getTime()), width - 260), y: y - 4 }, `${stay.admission_class || stay.admitted_as || "stay"} ${stay.port || ""} ${time(stay.since).slice(0, 10)} to ${stay.authorised_until || "-"}`));
  });
  svg.append(drawn("line", { class: "now", x1: x(at), x2: x(at), y1: 0, y2: stays.length * row + 20 }));
  return svg;
}

function evidenceOf(stays, at) {
  const rows = [];
  for (const stay of stays) {
    const begun = stay.intervals.filter((interval) => new Date(interval.since).getTime() <= at);
    const held = begun[begun.length - 1];
    for (const each of held?.evidence || []) {
      rows.push([badge(held.outcome, level(held.outcome)), each.system, element("a", { href: `#/trace/${encodeURIComponent(`${each.system} ${each.record}`)}` }, each.record), each.kind, each.occurred_on, time(each.known_at)]);
    }
  }
  const heads = [{ text: "For" }, { text: "System" }, { text: "Record", kind: "wide" }, { text: "Kind" }, { text: "Day" }, { text: "Known" }];
  return rows.length ? table("Evidence", heads, rows) : "";
}
