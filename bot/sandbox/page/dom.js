// Small helpers. Text is always set as text, except a bubble's html (chat.js).

/** `el("button.key", {type: "button"}, "text", node…)`; null attributes and children are skipped. */
export function el(name, attributes = {}, ...children) {
  const [tag, ...classes] = name.split(".");
  const node = document.createElement(tag);
  node.classList.add(...classes);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null) node.setAttribute(key, value);
  }
  node.append(...children.flat().filter((child) => child !== null));
  return node;
}

/** One of the drawings at the end of index.html. */
export function icon(name) {
  const ns = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(ns, "svg");
  const use = document.createElementNS(ns, "use");
  use.setAttribute("href", `#i-${name}`);
  svg.setAttribute("aria-hidden", "true");
  svg.append(use);
  return svg;
}

export const byId = (id) => document.getElementById(id);

// The demo workshop is in Jakarta; the browser's time zone doesn't matter.
const ZONE = "Asia/Jakarta";
const LOCALES = { id: "id-ID", en: "en-GB" };

export const clock = (at, language) =>
  at.toLocaleTimeString(LOCALES[language], { hour: "2-digit", minute: "2-digit", timeZone: ZONE });

export const day = (at, language) =>
  at.toLocaleDateString(LOCALES[language], { weekday: "long", day: "numeric", month: "long", timeZone: ZONE });

export function size(bytes) {
  return bytes < 1e6 ? `${Math.max(1, Math.round(bytes / 1e3))} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

export const initials = (name) => name.replace(/^bengkel\s+/i, "").split(/\s+/).slice(0, 2).map((word) => word.charAt(0).toUpperCase()).join("");
