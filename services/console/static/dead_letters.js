// Dead letters: by reason, one shown with the field that is wrong, edited, checked, replayed.

import { ask } from "./api.js";
import { badge, count, element, moment, table, time, update } from "./dom.js";
import { follow } from "./trace.js";

export async function show(main, every, id) {
  if (id) return showOne(main, id);
  main.append(element("h1", {}, "Dead letters"));
  const content = element("div");
  main.append(content);
  async function draw() {
    const { groups } = await ask("/console/api/dead-letters");
    update(content, groups.length
      ? table("Those that wait, by reason", [{ text: "Count", kind: "number" }, { text: "Feed" }, { text: "First" }, { text: "Last" }, { text: "Reason", kind: "wide" }],
        groups.map((group) => [count(group.waiting), `${group.system}.${group.feed}`, moment(group.first), moment(group.last), element("a", { href: `#/dead-letters/${group.example}` }, group.reason)]))
      : element("p", { class: "good" }, "No dead letter waits."));
  }
  await draw();
  every(5000, draw);
}

const decode = (data) => Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
const encode = (bytes) => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
const asHex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" ").replace(/((?:.. ){15}..) /g, "$1\n");

function textOf(bytes) {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    return /[\u0000-\u0008\u000e-\u001f\u007f]/.test(text) ? null : text;
  } catch {
    return null;
  }
}

function bytesOf(text, hexadecimal) {
  if (!hexadecimal) return new TextEncoder().encode(text);
  const digits = text.replace(/\s+/g, "");
  if (!/^([0-9a-fA-F]{2})*$/.test(digits)) throw new Error("Bytes are pairs of hexadecimal digits.");
  return Uint8Array.from(digits.match(/../g) || [], (pair) => parseInt(pair, 16));
}

async function showOne(main, id) {
  const letter = await ask(`/console/api/dead-letters/${encodeURIComponent(id)}`);
  const covered = letter.data === null; // its bytes may be confidential by law
  const raw = decode(letter.data || "");
  const text = textOf(raw);
  const facts = [["Feed", `${letter.system}.${letter.feed}`], ["File", letter.batch], ["Place", letter.place], ["Record", letter.record || "its key cannot be read"], ["Refused", time(letter.at)], ["Replayed", letter.replayed ? time(letter.replayed) : "no"], ["Bytes", count(letter.bytes)]].filter(([name]) => !covered || (name !== "Bytes" && name !== "Record"));
  const record = element("pre", { class: "record", tabindex: "0", "aria-label": "The record beside its layout" });
  const drawLines = (lines) => record.replaceChildren(...lines.map((line) => [line.marked ? element("mark", {}, line.text) : line.text, "\n"]).flat());
  drawLines(letter.lines);
  const mode = element("select", { id: "mode" }, text === null ? null : element("option", { value: "text" }, "as text"), element("option", { value: "hex" }, "as hexadecimal bytes"));
  const editor = element("textarea", { id: "editor", rows: "8", spellcheck: "false" });
  const fill = () => { editor.value = mode.value === "hex" ? asHex(raw) : text; };
  mode.addEventListener("change", fill);
  fill();
  const original = () => editor.value === (mode.value === "hex" ? asHex(raw) : text);
  const edited = () => (covered || original() ? null : encode(bytesOf(editor.value, mode.value === "hex")));
  // The bytes of the first marked field, where the layout gives each field its place.
  const marked = () => {
    if (text !== null) return null;
    const places = letter.lines.map((line) => ({ marked: line.marked, at: Number(line.text.match(/^\s*(\d+)  \S/)?.[1] ?? NaN) }));
    const first = places.findIndex((place) => place.marked && place.at >= 1);
    if (first < 0) return null;
    return [places[first].at - 1, (places[first + 1]?.at || raw.length + 1) - 1];
  };
  const pick = () => {
    const range = marked();
    if (range && original()) editor.setSelectionRange(range[0] * 3, range[1] * 3 - 1);
    editor.focus();
    if (range) editor.scrollTop = (editor.scrollHeight / (Math.ceil(raw.length / 16) + 1)) * Math.max(0, Math.floor(range[0] / 16) - 3);
  };
  const why = element("input", { id: "why", required: true, minlength: "3", maxlength: "500", placeholder: "what was mended, or why it can be read now" });
  const outcome = element("p", { role: "status", "aria-live": "polite" });
  const became = element("div", { "aria-live": "polite" });
  const sent = element("button", { type: "submit", class: "main" }, "Replay this one");
  const alike = element("button", { type: "button" }, "Replay all with this reason");
  const say = (results) => {
    const by = new Map();
    for (const result of results) by.set(result.outcome, (by.get(result.outcome) || 0) + 1);
    const level = by.has("refused") ? "bad" : "good";
    const whys = [...new Set(results.map((result) => result.why).filter(Boolean))].slice(0, 3).join("; ");
    const words = { publish: "published", "leave out": "left out by a rule", refused: "still refused", already: "replayed before" };
    outcome.replaceChildren(badge([...by].map(([name, number]) => `${number} ${words[name] || name}`).join(", ") || "nothing was selected", level), whys ? ` ${whys}` : "",
      letter.record && !by.has("refused") ? [" ", element("a", { href: `#/trace/${encodeURIComponent(`${letter.system} ${letter.record}`)}` }, "what became of it")] : "");
  };
  const run = (work, release = false) => async (event) => {
    event.preventDefault();
    outcome.replaceChildren("Working...");
    try {
      await work(release);
    } catch (error) {
      outcome.replaceChildren(badge(error.message, "bad"));
      // who has seen what it would change may send it
      if (error.kind === "held") outcome.append(" ", element("button", { type: "button", onclick: run(work, true) }, "Send it all the same"));
    }
  };
  const check = run(async () => {
    const result = await ask(`/console/api/dead-letters/${letter.id}/check`, { body: { data: edited() } });
    drawLines(result.lines);
    const words = { publish: `can be read: ${result.events} events would be published`, "leave out": `a rule would leave it out: ${result.why}`, refused: `still refused: ${result.why}`, already: result.why };
    outcome.replaceChildren(badge(words[result.outcome], result.outcome === "refused" ? "bad" : "good"));
    (result.outcome === "refused" && !covered ? editor : why).focus();
  });
  const replay = run(async (release) => {
    const { results } = await ask("/console/api/dead-letters/replay", { body: { ids: [letter.id], data: edited(), why: why.value, release } });
    say(results);
    if (letter.record && results.some((result) => result.outcome === "publish")) await follow(became, `${letter.system} ${letter.record}`);
  });
  alike.addEventListener("click", run(async (release) => {
    if (!why.reportValidity()) return outcome.replaceChildren();
    const group = await ask(`/console/api/dead-letters/list?${new URLSearchParams({ system: letter.system, feed: letter.feed, reason: letter.group })}`);
    say((await ask("/console/api/dead-letters/replay", { body: { ids: group.letters.map((each) => each.id), why: why.value, release } })).results);
  }));
  main.append(
    element("h1", {}, "Dead letter"), element("p", { class: "bad" }, letter.reason),
    element("dl", {}, facts.map(([name, value]) => [element("dt", {}, name), element("dd", {}, value)])),
    ...(covered ? [element("p", { class: "soft" }, `Records of ${letter.system} may be confidential by law. Its bytes, its key and the values in the reason need the scope ${letter.needs}; it can be read again as it is, once its adapter was mended.`)]
      : [element("div", { class: "row" }, element("h2", {}, "The record beside its layout"), element("button", { type: "button", onclick: pick }, marked() ? "Edit the marked field" : "Edit")), record]),
    element("form", { class: "panel", onsubmit: replay },
      element("h2", {}, covered ? "Replay" : "Mend and replay"),
      covered ? null : [element("label", { for: "mode" }, "Edit"), mode, element("label", { for: "editor" }, "Bytes of the record"), editor],
      element("label", { for: "why" }, "Why (kept in the audit log with your name; name no person)"), why,
      element("p", { class: "row" }, element("button", { type: "button", onclick: check }, "Check"), sent, alike), outcome), became);
}
