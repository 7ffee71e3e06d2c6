// The page: who is signed in, which part is shown, and what is said when something cannot be had.

import { ask, forget, keep, purpose, takeFromAddress, token } from "./api.js";
import { element } from "./dom.js";
import * as flow from "./flow.js";
import * as letters from "./dead_letters.js";
import * as matches from "./matches.js";
import * as persons from "./persons.js";
import * as system from "./system.js";
import * as trace from "./trace.js";

const PARTS = { "": flow, systems: system, "dead-letters": letters, trace, persons, matches };
const PURPOSES = ["audit", "overstay-review", "admission", "benefit-adjudication", "enforcement", "data-subject-request"];
const main = document.getElementById("main");
const state = document.getElementById("state");
const leave = document.getElementById("leave");
let timers = [];
let shown = 0;

function say(text, bad = false) {
  state.textContent = text;
  state.className = bad ? "bad" : "";
}

// Work that is repeated while its part is shown; a failure is told, and the next try goes on.
function repeating(mine) {
  return (milliseconds, work) => {
    let busy = false;
    const timer = setInterval(async () => {
      if (busy || mine !== shown || document.hidden) return;
      busy = true;
      try {
        await work();
        if (mine === shown) say("");
      } catch (error) {
        if (mine === shown) failed(error);
      } finally {
        busy = false;
      }
    }, milliseconds);
    timers.push(timer);
  };
}

function failed(error) {
  if (error.status === 401) {
    forget();
    say("The token is not valid any more.", true);
    signIn();
    return;
  }
  say(error.message, true);
}

function signIn() {
  stop();
  main.removeAttribute("aria-busy");
  document.title = "Sign in - visabus";
  leave.hidden = true;
  const input = element("input", { id: "token", type: "password", autocomplete: "off", required: true, size: "50" });
  const wanted = element("select", { id: "purpose" }, PURPOSES.map((each) => element("option", { value: each, selected: each === purpose() }, each)));
  const enter = async (event) => {
    event.preventDefault();
    keep(input.value, wanted.value);
    try {
      await ask("/console/api/overview");
      say("");
      await route();
    } catch (error) {
      if (error.status === 401) forget();
      say(error.status === 401 ? "The token is not valid." : error.message, true);
    }
  };
  main.replaceChildren(element("h1", {}, "Sign in"), element("form", { class: "panel", onsubmit: enter },
    element("label", { for: "token" }, "Token with the scopes operations:read, records:read, operations:write, status:read, timeline:read; confidential:read too for what the law keeps confidential"), input,
    element("label", { for: "purpose" }, "What look-ups are for"), wanted,
    element("p", {}, element("button", { type: "submit", class: "main" }, "Sign in")),
    element("p", { class: "soft" }, "It stays in this tab. In development: visabus token --scope operations:read ...")));
  input.focus();
}

function stop() {
  timers.forEach(clearInterval);
  timers = [];
  shown += 1;
}

// What stands behind the name of a part in the address, as it was before it was put there.
function argumentOf(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

async function route() {
  if (!token()) return signIn();
  stop();
  const mine = shown;
  leave.hidden = false;
  main.setAttribute("aria-busy", "true");
  const lost = main.contains(document.activeElement) && document.activeElement !== main;
  const [, name = "", argument = ""] = location.hash.match(/^#\/([a-z-]*)(?:\/(.*))?$/) || [];
  const part = PARTS[name] || flow;
  for (const link of document.querySelectorAll("nav a")) {
    if (link.getAttribute("href") === `#/${name === "systems" ? "" : name}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  const content = element("div");
  main.replaceChildren(content);
  say("");
  try {
    if (lost) main.focus({ preventScroll: true }); // where the link was that is gone: the next Tab goes on in the new part
    await part.show(content, repeating(mine), argumentOf(argument));
  } catch (error) {
    if (mine === shown) failed(error);
    if (!content.querySelector("h1")) content.replaceChildren(element("h1", {}, "Not shown"), element("p", {}, error.message));
  }
  if (mine !== shown) return;
  main.removeAttribute("aria-busy");
  main.dataset.shown = location.hash;
  document.title = `${content.querySelector("h1")?.textContent || "visabus"} - visabus`;
}

document.getElementById("search").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = event.target.q.value.trim();
  const part = /^[0-9a-f]{32}$/.test(text) ? "persons" : "trace"; // what else has 32 such digits is written with dashes
  if (text) location.hash = `#/${part}/${encodeURIComponent(text)}`;
});
// The address stays: with another one the part would be drawn anew, and what has focus by then be lost.
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  main.focus();
});
leave.addEventListener("click", () => {
  forget();
  signIn();
});
window.addEventListener("hashchange", () => {
  takeFromAddress();
  route();
});
takeFromAddress();
route();
