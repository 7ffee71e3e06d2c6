// Possible matches side by side, to confirm or to reject.

import { ask } from "./api.js";
import { badge, element } from "./dom.js";

export async function show(main) {
  main.append(element("h1", {}, "Possible matches"), element("p", { class: "soft" }, "Persons whose records are alike, but not enough to be joined. A decision goes over the bus like any event, and can be taken back."));
  const waiting = element("p", { class: "soft" }, "Looking for them: on a large view that takes a while.");
  main.append(waiting);
  const { matches } = await ask("/console/api/matches").finally(() => waiting.remove());
  if (!matches.length) return main.append(element("p", { class: "good" }, "No possible matches."));
  matches.forEach((match, index) => main.append(one(match, index)));
}

function one(match, index) {
  const why = element("input", { id: `why-${index}`, required: true, minlength: "3", maxlength: "500", size: "40" });
  const outcome = element("p", { role: "status" });
  const ref = (side) => ({ system: side.record[0], record: side.record[1] });
  const decide = (same) => async () => {
    if (!why.reportValidity()) return;
    try {
      await ask("/console/api/matches", { body: { one: ref(match.one), other: ref(match.other), same, why: why.value } });
      outcome.replaceChildren(badge(same ? "told: one person" : "told: two persons", "good"));
      section.querySelectorAll("button").forEach((button) => { button.disabled = true; });
    } catch (error) {
      outcome.replaceChildren(badge(error.message, "bad"));
    }
  };
  const section = element("section", { class: "panel", "aria-label": `Match ${index + 1}` },
    element("h2", {}, `${match.score.toFixed(1)} bits`), element("p", {}, match.by, match.vetoes.map((veto) => [" ", badge(`but ${veto}`, "warn")])),
    element("div", { class: "sides" }, side(match.one, match.other), side(match.other, match.one)),
    element("label", { for: `why-${index}` }, "What it rests on (kept in the audit log; name no person)"), why,
    element("p", { class: "row" }, element("button", { type: "button", class: "main", onclick: decide(true) }, "One person"), element("button", { type: "button", onclick: decide(false) }, "Two persons")), outcome);
  return section;
}

function side(mine, theirs) {
  const marked = (values, others) => values.map((value, index) => [index ? ", " : "", others.includes(value) ? element("strong", {}, value) : value]);
  const names = (each) => each.names.map(([family, given]) => `${family}, ${given}`);
  const rows = [["Names", marked(names(mine), names(theirs))], ["Born", marked(mine.births, theirs.births)], ["Citizenship", marked(mine.citizenship, theirs.citizenship)], ["Numbers", marked(mine.identifiers, theirs.identifiers)],
    ["Record", element("a", { href: `#/trace/${encodeURIComponent(mine.record.join(" "))}` }, mine.record.join(" "))], ["Person", element("a", { href: `#/persons/${mine.person}` }, mine.person)]];
  return element("dl", {}, rows.map(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]));
}
