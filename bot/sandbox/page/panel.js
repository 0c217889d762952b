// The panel beside the phones, for the payment page, a PDF or an e-mail.

import { byId, el, icon } from "./dom.js";

const LOOPBACK = /^(localhost|127\.0\.0\.1|\[::1\])$/;
let opener = null;

/** Open links to pages of this simulation in the panel, and all others in a new tab. */
export function catchLinks() {
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href]");
    if (!link || link.id === "panel-out" || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const path = here(link.href);
    // A phone's browser can't show a PDF inside a page.
    if (path === null || (narrow() && link.dataset.type)) return;
    event.preventDefault();
    const view = link.dataset.type === "application/pdf" ? "#navpanes=0&view=FitH" : "";
    show(link.dataset.title || link.textContent, path, el("iframe", { src: path + view, title: link.dataset.title || "", "data-testid": "panel-frame" }));
  });
  byId("panel-close").addEventListener("click", close);
  document.addEventListener("keydown", ({ key }) => key === "Escape" && !byId("panel").hidden && close());
}

/** Show a mail: its headers, attachments, and its text in a sandboxed frame. */
export function showMail(mail) {
  const files = mail.attachments.map((file) =>
    el("a.file", { href: file.url, target: "_blank", "data-testid": "mail-attachment", "data-title": file.name, "data-type": file.type }, icon("clip"), file.name));
  const head = el("div.letter", {}, el("h2", {}, mail.subject), el("p", {}, mail.from), el("p", {}, "→ ", mail.to), files.length ? el("div.files", {}, files) : null);
  const body = mail.html
    ? el("iframe", { src: mail.html, sandbox: "", title: mail.subject, "data-testid": "mail-frame" })
    : el("pre", {}, mail.text);
  show("E-mail", mail.html, head, body);
}

function show(title, path, ...content) {
  if (byId("panel").hidden) opener = document.activeElement;
  byId("panel-title").textContent = title;
  byId("panel-address").textContent = path ? location.host + path : "";
  byId("panel-out").hidden = !path;
  byId("panel-out").href = path || "";
  byId("panel-body").replaceChildren(...content);
  byId("panel").hidden = false;
  byId("panel-close").focus({ preventScroll: true });
}

function close() {
  byId("panel").hidden = true;
  byId("panel-body").replaceChildren();
  if (opener?.isConnected) opener.focus({ preventScroll: true });
}

/** The path of a URL on this server under any of its host names; null for other URLs. */
function here(address) {
  const url = new URL(address, location.href);
  const ours = url.port === location.port && (url.hostname === location.hostname || (LOOPBACK.test(url.hostname) && LOOPBACK.test(location.hostname)));
  return ours && url.protocol === location.protocol ? url.pathname + url.search : null;
}

/** Whether the screen shows one phone at a time. */
export const narrow = () => matchMedia("(max-width: 760px)").matches;
