// A system: its feeds, what it vouches for, its dead letters and its last receipts.

import { ask } from "./api.js";
import { LEVELS, age, badge, count, element, table, time } from "./dom.js";

export async function show(main, every, name) {
  const content = element("div");
  main.append(content);
  async function draw() {
    const system = await ask(`/console/api/systems/${encodeURIComponent(name)}`);
    content.replaceChildren(...contentOf(system));
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
      system.coverage.map((each) => [each.scope, time(each.through), age(each.through)])));
  }
  if (system.dead_letters.length) {
    parts.push(table("Dead letters that wait", [{ text: "Count", kind: "number" }, { text: "Feed" }, { text: "Last" }, { text: "Reason", kind: "wide" }],
      system.dead_letters.map((group) => [count(group.waiting), group.feed, age(group.last), element("a", { href: `#/dead-letters/${encodeURIComponent(group.example)}` }, group.reason)])));
  }
  parts.push(table("Last files, polls and messages", [{ text: "When" }, { text: "Feed" }, { text: "Name", kind: "wide" }, { text: "Read", kind: "number" }, { text: "Published", kind: "number" }, { text: "Refused", kind: "number" }, { text: "Left out", kind: "number" }],
    system.receipts.map((receipt) => [time(receipt.at), receipt.feed, element("a", { href: `#/trace/${encodeURIComponent(receipt.batch)}` }, receipt.batch), count(receipt.read), count(receipt.published),
      receipt.dead_lettered ? badge(count(receipt.dead_lettered), "bad") : "0", count(Object.values(receipt.filtered).reduce((sum, each) => sum + each, 0))])));
  return parts;
}

function feedOf(feed) {
  const facts = [
    ["State", badge(feed.state, LEVELS[feed.state] || "none")], ["Why", feed.why], ["Down since", feed.since && time(feed.since)],
    ["Last batch", feed.last_batch && `${feed.last_batch}, ${age(feed.last_batch_at)}`], ["Caught up", feed.caught_up_at && age(feed.caught_up_at)],
    ["Read", `${count(feed.read)} = ${count(feed.published)} published + ${count(feed.dead_lettered)} refused + ${count(feed.filtered)} left out`],
    ["Events", count(feed.events)], ["Wrong optional values", feed.lost_values ? count(feed.lost_values) : null],
    ["Left for later", feed.deferred ? count(feed.deferred) : null], ["In the middle of", feed.batch && `${feed.batch}, record ${count(feed.batch_records)}`],
    ["Held by", feed.holder && `${feed.holder}, heard ${age(feed.heard_at)}`], ["Position", feed.position === null ? null : JSON.stringify(feed.position).slice(0, 300)],
  ].filter(([, value]) => value !== null && value !== undefined && value !== "");
  return element("section", { class: "panel", "aria-label": `Feed ${feed.feed}` }, element("h2", {}, `${feed.system}.${feed.feed}`),
    element("dl", {}, facts.map(([name, value]) => [element("dt", {}, name), element("dd", {}, value)])));
}
