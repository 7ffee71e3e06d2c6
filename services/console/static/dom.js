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

export function table(caption, heads, rows) {
  const cell = (name, head, content) => element(name, { class: head.kind, scope: name === "th" ? "col" : null }, content);
  return element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
    element("table", {},
      element("caption", {}, caption),
      element("thead", {}, element("tr", {}, heads.map((head) => cell("th", head, head.text)))),
      element("tbody", {}, rows.map((row) => element("tr", {}, row.map((content, at) => cell("td", heads[at], content)))))));
}

export const badge = (text, level) => element("span", { class: `badge ${level}` }, text);
export const count = (number) => (number === null || number === undefined ? "-" : number.toLocaleString("en"));

export function age(at, now = Date.now()) {
  if (!at) return "never";
  const seconds = (now - new Date(at).getTime()) / 1000;
  for (const [unit, size] of [["d", 86400], ["h", 3600], ["min", 60]]) if (seconds >= 2 * size) return `${Math.round(seconds / size)} ${unit} ago`;
  return `${Math.max(0, Math.round(seconds))} s ago`;
}

export const time = (at) => (at ? new Date(at).toISOString().slice(0, 19).replace("T", " ") + "Z" : "now");

export const LEVELS = { running: "good", ended: "none", never: "none", paused: "warn", down: "bad", stopped: "bad", lost: "bad" };
