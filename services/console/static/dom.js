// Elements from data: text is always text, never markup.

const SVG = "http://www.w3.org/2000/svg";

function filled(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "class") node.setAttribute("class", value);
    else if (name in node && typeof value === "boolean") node[name] = value;
    else node.setAttribute(name, value);
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

export const element = (name, attributes = {}, ...children) => filled(document.createElement(name), attributes, children);
export const drawn = (name, attributes = {}, ...children) => filled(document.createElementNS(SVG, name), attributes, children);

// A table with its roles said out loud: narrow screens show each row as a block, which would take them away.
export function table(caption, heads, rows, { narrow = "stacked" } = {}) {
  const cell = (name, head, content) => element(name, { class: head.kind, scope: name === "th" ? "col" : null, role: name === "th" ? "columnheader" : "cell", "data-label": name === "td" ? head.text : null }, content);
  return element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
    element("table", { class: narrow, role: "table", "aria-label": caption },
      element("caption", {}, caption),
      element("thead", { role: "rowgroup" }, element("tr", { role: "row" }, heads.map((head) => cell("th", head, head.text)))),
      element("tbody", { role: "rowgroup" }, rows.map((row) => element("tr", { role: "row" }, row.map((content, at) => cell("td", heads[at], content)))))));
}

// Show other children in place of those that are there, and touch only what differs: focus, selection, scrolling and
// what is folded open stay as they are, and nothing is read out twice. For parts without listeners of their own; what
// has some lies in an element with data-kept, whose inside is left alone.
export function update(node, ...children) {
  const fresh = document.createDocumentFragment();
  filled(fresh, {}, children);
  merge(node, fresh);
}

function merge(old, fresh) {
  const wanted = [...fresh.childNodes];
  wanted.forEach((child, at) => {
    const there = old.childNodes[at];
    if (!there) old.append(child);
    else if (there.nodeName !== child.nodeName || there.id !== child.id || there.dataset?.kept !== child.dataset?.kept) there.replaceWith(child);
    else if (child.nodeType === Node.TEXT_NODE) {
      if (there.data !== child.data) there.data = child.data;
    } else {
      for (const { name } of [...there.attributes]) if (!child.hasAttribute(name) && name !== "open") there.removeAttribute(name);
      for (const { name, value } of child.attributes) if (there.getAttribute(name) !== value) there.setAttribute(name, value);
      if (!child.dataset || !("kept" in child.dataset)) merge(there, child);
    }
  });
  while (old.childNodes.length > wanted.length) old.lastChild.remove();
}

export const badge = (text, level) => element("span", { class: `badge ${level}` }, text);
export const count = (number) => (number === null || number === undefined ? "-" : number.toLocaleString("en"));

export function age(at, now = Date.now()) {
  if (!at) return "never";
  const seconds = (now - new Date(at).getTime()) / 1000;
  for (const [unit, size] of [["d", 86400], ["h", 3600], ["min", 60]]) if (seconds >= 2 * size) return `${Math.round(seconds / size)} ${unit} ago`;
  return `${Math.max(0, Math.round(seconds))} s ago`;
}

// How long ago, with the moment itself for who points at it.
export const moment = (at) => (at ? element("time", { datetime: at, title: time(at) }, age(at)) : "never");
export const plural = (number, one, many = `${one}s`) => `${count(number)} ${number === 1 ? one : many}`;

export const time = (at) => (at ? new Date(at).toISOString().slice(0, 19).replace("T", " ") + "Z" : "now");

export const LEVELS = { running: "good", ended: "none", never: "none", paused: "warn", waiting: "warn", down: "bad", stopped: "bad", lost: "bad" };
