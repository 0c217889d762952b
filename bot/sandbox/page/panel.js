// What opens beside the phones: the payment page, a PDF, an e-mail.

import { byId, el, icon } from "./dom.js";

const LOOPBACK = /^(localhost|127\.0\.0\.1|\[::1\])$/;
let opener = null;

/** Have links to pages of this simulation open in the panel; all others get a tab of their own. */
export function catchLinks() {
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href]");
    if (!link || link.id === "panel-out" || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const path = here(link.href);
    // A phone's browser shows no PDF inside a page.
    if (path === null || (narrow() && link.dataset.type)) return;
    event.preventDefault();
    const view = link.dataset.type === "application/pdf" ? "#navpanes=0&view=FitH" : "";
    show(link.dataset.title || link.textContent, path, el("iframe", { src: path + view, title: link.dataset.title || "", "data-testid": "panel-frame" }));
  });
  byId("panel-close").addEventListener("click", close);
  document.addEventListener("keydown", ({ key }) => key === "Escape" && !byId("panel").hidden && close());
}

/** Show a mail: who wrote to whom, its files, and its text in a frame that can't do anything. */
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

/** The path of an address on this server, by whichever of its names; null for any other. */
function here(address) {
  const url = new URL(address, location.href);
  const ours = url.port === location.port && (url.hostname === location.hostname || (LOOPBACK.test(url.hostname) && LOOPBACK.test(location.hostname)));
  return ours && url.protocol === location.protocol ? url.pathname + url.search : null;
}

/** Whether one phone at a time is shown. */
export const narrow = () => matchMedia("(max-width: 760px)").matches;
