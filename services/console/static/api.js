// Requests with the token of this tab. The token is kept in the tab alone, and goes to this address alone.

const TOKEN = "visabus-token";
const PURPOSE = "visabus-purpose";

export const token = () => sessionStorage.getItem(TOKEN);
export const purpose = () => sessionStorage.getItem(PURPOSE) || "audit";
export function keep(value, forPurpose) {
  sessionStorage.setItem(TOKEN, value.trim());
  if (forPurpose) sessionStorage.setItem(PURPOSE, forPurpose);
}
export function forget() {
  sessionStorage.removeItem(TOKEN);
}

// A token in the address (#token=...), as the demo opens the page: taken and removed before anything else happens.
export function takeFromAddress() {
  const match = location.hash.match(/^#token=([^&]+)(?:&purpose=([a-z-]+))?$/);
  if (!match) return;
  keep(decodeURIComponent(match[1]), match[2]);
  history.replaceState(null, "", `${location.pathname}#/`);
}

export class Refused extends Error {
  constructor(status, problem) {
    super(problem.detail || problem.title || `answered with ${status}`);
    this.status = status;
    this.kind = (problem.type || "").split(":").pop();
  }
}

export async function ask(path, options = {}) {
  const headers = { Authorization: `Bearer ${token()}`, "Visabus-Purpose": purpose() };
  let body;
  if (options.body !== undefined) {
    headers["Content-Type"] = "application/json";
    body = JSON.stringify(options.body);
  }
  let response;
  try {
    response = await fetch(path, { method: body ? "POST" : "GET", headers, body, cache: "no-store", signal: options.signal });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refused(0, { detail: "The server cannot be reached." });
  }
  const content = await response.json().catch(() => ({}));
  if (!response.ok) throw new Refused(response.status, content);
  return content;
}
