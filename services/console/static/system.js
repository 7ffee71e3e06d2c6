// A system: its feeds, which can be held, let go on and read again; what it vouches for, its dead letters and its last receipts.

import { ask } from "./api.js";
import { LEVELS, badge, count, element, moment, table, time, update } from "./dom.js";

export async function show(main, every, name) {
  const content = element("div");
  main.append(content);
  const controls = new Map(); // by feed: they stay what they are while the facts around them are drawn anew
  const withdrawal = withdrawalOf(name);
  async function draw() {
    const system = await ask(`/console/api/systems/${encodeURIComponent(name)}`);
    update(content, contentOf(system));
    for (const feed of system.feeds) {
      if (!controls.has(feed.feed)) controls.set(feed.feed, controlsOf(feed, draw));
      const place = content.querySelector(`[data-kept="${CSS.escape(feed.feed)}"]`);
      const form = controls.get(feed.feed)(feed);
      if (form.parentNode !== place) place.replaceChildren(form);
    }
    const place = content.querySelector('[data-kept="withdrawal"]');
    const form = withdrawal(system.receipts);
    if (form.parentNode !== place) place.replaceChildren(form);
  }
  await draw();
  every(5000, draw);
}

function contentOf(system) {
  const parts = [element("h1", {}, `${system.system}: ${system.title}`), element("p", { class: "soft" }, system.owner)];
  for (const feed of system.feeds) parts.push(feedOf(feed));
  if (!system.feeds.length) parts.push(element("p", {}, "No feed of this system was ever read, and the settings give it no address."));
  if (system.coverage.length) {
    parts.push(table("What it vouches for", [{ text: "Scope" }, { text: "Complete through" }, { text: "Age" }],
      system.coverage.map((each) => [each.scope, time(each.through), moment(each.through)])));
  }
  if (system.dead_letters.length) {
    parts.push(table("Dead letters that wait", [{ text: "Count", kind: "number" }, { text: "Feed" }, { text: "Last" }, { text: "Reason", kind: "wide" }],
      system.dead_letters.map((group) => [count(group.waiting), group.feed, moment(group.last), element("a", { href: `#/dead-letters/${encodeURIComponent(group.example)}` }, group.reason)])));
  }
  parts.push(table("Last files, polls and messages", [{ text: "When" }, { text: "Feed" }, { text: "Name", kind: "wide" }, { text: "Read", kind: "number" }, { text: "Published", kind: "number" }, { text: "Refused", kind: "number" }, { text: "Left out", kind: "number" }],
    system.receipts.map((receipt) => [time(receipt.at), receipt.feed, element("a", { href: `#/trace/${encodeURIComponent(receipt.batch)}` }, receipt.batch), count(receipt.read), count(receipt.published),
      receipt.dead_lettered ? badge(count(receipt.dead_lettered), "bad") : count(receipt.dead_lettered), count(receipt.filtered && Object.values(receipt.filtered).reduce((sum, each) => sum + each, 0))])));
  parts.push(element("section", { class: "panel", "aria-label": "Withdraw a file" }, element("h2", {}, "Withdraw a file"),
    element("p", { class: "soft" }, "Each record whose last version came from it is retracted: shown first. What an earlier file told of a record does not come back by it."),
    element("div", { "data-kept": "withdrawal" })));
  return parts;
}

// One bad file withdrawn whole: what that is, and then that it is done.
function withdrawalOf(system) {
  const batch = element("input", { id: "withdraw-batch", required: true, maxlength: "400", list: "withdraw-known", spellcheck: "false", placeholder: "the name of a file, poll or message" });
  const known = element("datalist", { id: "withdraw-known" });
  const why = element("input", { id: "withdraw-why", required: true, minlength: "3", maxlength: "400", placeholder: "what it is for" });
  const outcome = element("p", { role: "status", "aria-live": "polite" });
  const really = element("button", { type: "button", hidden: true }, "Withdraw it");
  const asked = element("button", { type: "submit" }, "What would be withdrawn?");
  const order = async (yes) => {
    if (!batch.reportValidity() || !why.reportValidity()) return null;
    outcome.replaceChildren("Working...");
    try {
      return await ask("/console/api/retract", { body: { system, batch: batch.value.trim(), why: why.value, yes } });
    } catch (error) {
      outcome.replaceChildren(badge(error.message, "bad"));
      return null;
    }
  };
  const words = (answer) => answer.needs ? `all that came from it last; how many records that is needs the scope ${answer.needs}` : `${count(answer.records)} records, ${count(answer.events)} events (${Object.entries(answer.kinds).map(([kind, number]) => `${count(number)} ${kind}`).join(", ") || "none"})`
    + `; left alone: ${count(answer.left_alone_later_version)} with a later version, ${count(answer.left_alone_retracted)} retracted already`;
  const again = () => { really.hidden = true; };
  batch.addEventListener("input", again);
  really.addEventListener("click", async () => {
    const answer = await order(true);
    again();
    if (answer) outcome.replaceChildren(badge("Withdrawn", "good"), ` ${words(answer)}`);
  });
  const form = element("form", { "aria-label": "Withdraw a file of this system", onsubmit: async (event) => {
    event.preventDefault();
    const answer = await order(false);
    if (!answer) return;
    outcome.replaceChildren(`Would be withdrawn: ${words(answer)}.`);
    really.hidden = answer.events === 0;
    if (answer.events !== 0) really.focus();
  } },
  element("label", { for: "withdraw-batch" }, "File, poll or message"), batch, known,
  element("label", { for: "withdraw-why" }, "Why (kept in the audit log with your name; name no person)"), why,
  element("p", { class: "row" }, asked, really), outcome);
  return (receipts) => {
    update(known, receipts.map((receipt) => element("option", { value: receipt.batch })));
    return form;
  };
}

// The buttons of one feed. Returns what brings them up to date with its state.
function controlsOf(feed, drawAll) {
  const id = `why-${feed.feed}`;
  const why = element("input", { id, required: true, minlength: "3", maxlength: "400", placeholder: "what it is for" });
  const outcome = element("p", { role: "status", "aria-live": "polite" });
  const from = element("input", { id: `from-${feed.feed}`, maxlength: "400", placeholder: "empty: from its beginning" });
  let seen = null;  // the batch that was shown: a word is about no other
  const order = async (action, yes) => {
    if (!why.reportValidity()) return null;
    outcome.replaceChildren("Working...");
    try {
      const path = `/console/api/feeds/${feed.system.split("/").map(encodeURIComponent).join("/")}/${encodeURIComponent(feed.feed)}/${action}`;
      return await ask(path, { body: { why: why.value, yes, before: (action === "rewind" && from.value.trim()) || null, waiting: ["release", "reject"].includes(action) ? seen : null } });
    } catch (error) {
      outcome.replaceChildren(badge(error.message, "bad"));
      return null;
    }
  };
  const done = async (words) => {
    why.value = "";
    from.value = "";
    why.blur();
    await drawAll();
    outcome.replaceChildren(badge(words, "good"));
  };
  const pause = element("button", { type: "button" }, "Pause");
  pause.addEventListener("click", async () => { if (await order("pause", true)) { pause.blur(); await done("Nothing more is read until it is resumed."); } });
  const resume = element("button", { type: "button" }, "Resume");
  resume.addEventListener("click", async () => { if (await order("resume", true)) { resume.blur(); await done("It goes on from where it stopped."); } });
  const release = element("button", { type: "button" }, "Send the batch");
  release.addEventListener("click", async () => { if (await order("release", true)) { release.blur(); await done("It is sent as it is."); } });
  const reject = element("button", { type: "button" }, "Leave the batch out");
  reject.addEventListener("click", async () => { if (await order("reject", true)) { reject.blur(); await done("None of it is sent; its receipt says why."); } });
  const really = element("button", { type: "button", hidden: true }, "Read all of that again");
  const rewind = element("button", { type: "button" }, "Read again...");
  rewind.addEventListener("click", async () => {
    const answer = await order("rewind", false);
    if (!answer) return;
    const { batches, records, records_counted: counted } = answer.again;
    outcome.replaceChildren(`Would be read again, as far as the source still holds it: ${count(batches)} files, polls or messages with ${count(records)} records by the receipts (${count(counted)} counted). Events come again under the same ids and change nothing.`);
    really.hidden = false;
    really.focus();
  });
  really.addEventListener("click", async () => {
    const answer = await order("rewind", true);
    really.hidden = true;
    if (answer) { rewind.blur(); await done("It is read again."); }
  });
  const form = element("form", { onsubmit: (event) => event.preventDefault(), "aria-label": `Orders to ${feed.feed}` },
    element("label", { for: id }, "Why (shown to others and kept in the audit log with your name; name no person)"), why,
    element("label", { for: from.id }, "To read again: from this file on"), from,
    element("p", { class: "row" }, release, reject, pause, resume, rewind, really), outcome);
  return (now) => {
    pause.hidden = now.paused_at !== null;
    resume.hidden = now.paused_at === null;
    release.hidden = reject.hidden = now.waiting === null;
    seen = now.waiting && now.waiting.id;
    return form;
  };
}

function feedOf(feed) {
  const facts = [
    ["State", badge(feed.state, LEVELS[feed.state] || "none")], ["Why", feed.why], ["Paused", feed.paused_at && `${time(feed.paused_at)} by ${feed.paused_by}`], ["Down since", feed.since && time(feed.since)],
    ["Waits for a person", feed.waiting && waitingOf(feed.waiting)],
    ["Last batch", feed.last_batch && [`${feed.last_batch}, `, moment(feed.last_batch_at)]], ["Caught up", feed.caught_up_at && moment(feed.caught_up_at)],
    ["Read", `${count(feed.read)} = ${count(feed.published)} published + ${count(feed.dead_lettered)} refused + ${count(feed.filtered)} left out`],
    ["Events", count(feed.events)], ["Wrong optional values", feed.lost_values ? count(feed.lost_values) : null],
    ["Not read again", feed.not_rewound],
    ["Left for later", feed.deferred ? count(feed.deferred) : null], ["In the middle of", feed.batch && `${feed.batch}, record ${count(feed.batch_records)}`],
    ["Held by", feed.holder && [`${feed.holder}, heard `, moment(feed.heard_at)]], ["Position", feed.position === null ? null : positionOf(feed.position)],
  ].filter(([, value]) => value !== null && value !== undefined && value !== "");
  return element("section", { class: "panel", "aria-label": `Feed ${feed.feed}` }, element("h2", {}, `${feed.system}.${feed.feed}`),
    element("dl", {}, facts.map(([name, value]) => [element("dt", {}, name), element("dd", {}, value)])),
    element("div", { "data-kept": feed.feed }));
}

// A batch that would change many outcomes: which they are and would be.
function waitingOf(batch) {
  const much = batch.changed > batch.limit ? count(batch.changed) : `more than ${count(batch.limit)}`;
  return [element("p", {}, `${batch.batch}${batch.records === null ? "" : ` with ${count(batch.records)} records`} would change ${much} outcomes (at most ${count(batch.limit)} may), since `, moment(batch.since)),
    element("ul", {}, Object.entries(batch.changes).map(([change, number]) => element("li", {}, `${count(number)}: ${change.replace("->", "to")}`)),
      batch.appeared ? element("li", {}, `${count(batch.appeared)} persons without an outcome would have a first one`) : null)];
}

// A short position as it is; a long one folded, to be opened.
function positionOf(position) {
  const text = JSON.stringify(position);
  if (text.length <= 80) return element("code", {}, text);
  return element("details", {}, element("summary", {}, `${text.slice(0, 48)}...`), element("pre", { tabindex: "0", "aria-label": "Position" }, JSON.stringify(position, null, 2)));
}
