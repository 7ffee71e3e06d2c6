// What became of a record, an event, all records under a number, or a file.

import { ask } from "./api.js";
import { badge, element, time, update } from "./dom.js";

const LEVELS = { refused: "bad", missing: "warn", quarantined: "bad", "left out": "warn", changed: "good", status: "good" };

export async function show(main, every, about) {
  const input = element("input", { id: "about", value: about || "", autocomplete: "off", spellcheck: "false", size: "50" });
  const go = (event) => {
    event.preventDefault();
    location.hash = `#/trace/${encodeURIComponent(input.value.trim())}`;
  };
  main.append(element("h1", {}, "Trace"),
    element("form", { class: "row", onsubmit: go }, element("div", {}, element("label", { for: "about" }, "System and key, event id, scheme/issuer/value, or the name of a file"), input), element("button", { type: "submit", class: "main" }, "Follow")));
  if (!about) return input.focus();
  const answer = element("div", { "aria-live": "polite" }, element("p", { class: "soft" }, "Reading the bus..."));
  main.append(answer);
  try {
    await follow(answer, about);
  } catch (error) {
    answer.replaceChildren();
    throw error;
  }
}

// Show what became of it, again until the view has taken in what is on the bus, or half a minute has passed. Each look
// is a line of the audit log, and so the waits grow.
export async function follow(answer, about) {
  for (let seconds = 1; ; seconds *= 2) {
    const trace = await ask(`/console/api/trace?${new URLSearchParams({ about })}`);
    update(answer,
      trace.batches.length ? stepsOf("File, poll or message", trace.batches) : null,
      trace.records.map((record) => stepsOf(`${record.system} ${record.record}`, record.steps)),
      trace.more ? element("p", {}, `${trace.more} more are left out: ask for one of them.`) : null);
    const kinds = trace.records.flatMap((record) => record.steps.map((step) => step.kind));
    if (!kinds.includes("missing") || seconds > 16 || !answer.isConnected) return;
    await new Promise((done) => setTimeout(done, seconds * 1000));
    if (!answer.isConnected) return;
  }
}

function stepsOf(title, steps) {
  return element("section", { class: "panel", "aria-label": title }, element("h2", {}, title),
    element("ol", { class: "steps" }, steps.map((step) => element("li", {}, element("span", { class: "soft" }, time(step.at)), element("span", {}, badge(step.kind, LEVELS[step.kind] || "none")),
      element("span", {}, linked(step.where), ": ", step.what)))));
}

function linked(where) {
  const person = where.match(/^person ([0-9a-f]{32})$/);
  return person ? element("a", { href: `#/persons/${person[1]}` }, where) : where;
}
