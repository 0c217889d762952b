// The bubbles of one chat, drawn as WhatsApp or Telegram draws them.

import { clock, day, el, icon, initials, size } from "./dom.js";
import { words } from "./words.js";

const NEAR = 120; // px: closer to the newest bubble than this, the chat scrolls along

export class Chat {
  /** `taps` handles a tap; without it the chat is read-only. */
  constructor(list, look, taps = null) {
    this.list = list;
    this.look = look;
    this.taps = taps;
    this.language = "id";
    this.known = new Map();
    this.busy = 0; // actions that are being sent
  }

  load(bubbles) {
    this.known.clear();
    this.list.replaceChildren();
    for (const bubble of bubbles) this.put(bubble);
  }

  /** Show a new or changed bubble; keeps the scroll position of a reader further up. */
  put(bubble) {
    const before = this.known.get(bubble.id);
    const node = this.draw(bubble);
    const follow = bubble.from === "me" || this.list.parentNode.scrollTop > -NEAR;
    if (before) before.node.replaceWith(node);
    else this.list.append(...this.dayChange(bubble), node);
    this.known.set(bubble.id, { bubble, node });
    this.tick();
    if (follow) this.list.parentNode.scrollTop = 0; // scroll to the newest: the chat is laid out from below
  }

  remove(id) {
    this.known.get(id)?.node.remove();
    this.known.delete(id);
  }

  get bubbles() {
    return [...this.known.values()].map(({ bubble }) => bubble);
  }

  speak(language) {
    this.language = language;
    this.load(this.bubbles);
  }

  /** Mark own messages before the shop's last one as read, and the others as delivered unless they are being sent. */
  tick() {
    const all = [...this.known.values()];
    const lastWord = all.findLastIndex(({ bubble }) => bubble.from === "shop");
    const newest = all.length - 1;
    all.forEach(({ bubble, node }, index) => {
      const tick = node.querySelector(".tick");
      if (!tick) return;
      const status = bubble.status === "failed" ? "failed" : index < lastWord ? "read" : this.busy && index === newest ? "sent" : "delivered";
      if (tick.dataset.status === status) return;
      tick.dataset.status = status;
      tick.setAttribute("aria-label", words(this.language)[status]);
      const one = this.look === "telegram" ? status !== "read" : status === "sent";
      tick.replaceChildren(status === "failed" ? "!" : icon(one ? "tick" : "ticks"));
    });
  }

  dayChange(bubble) {
    const last = this.bubbles.at(-1);
    const at = day(new Date(bubble.at), this.language);
    if (last && day(new Date(last.at), this.language) === at) return [];
    const today = at === day(new Date(), this.language);
    return [el("p.day", {}, today ? words(this.language).today : at)];
  }

  draw(bubble) {
    const content = el("div.content", {}, this.part(bubble), this.text(bubble), this.meta(bubble));
    const balloon = el("div.balloon", {}, content);
    const node = el(`div.bubble.${bubble.from}`, { "data-testid": "bubble", "data-id": bubble.id, "data-from": bubble.from, "data-kind": bubble.kind }, balloon);
    const rows = bubble.buttons.map((row) => el("div.row", {}, row.map((button) => this.button(button, bubble))));
    if (bubble.list) rows.push(el("div.row", {}, this.opener(bubble)));
    if (rows.length) (this.look === "whatsapp" ? balloon : node).append(el("div.rows", {}, rows));
    return node;
  }

  part(bubble) {
    const say = words(this.language);
    switch (bubble.kind) {
      case "photo":
        return el("a.photo", { href: bubble.photo.url, target: "_blank" }, el("img", { src: bubble.photo.url, alt: say.picture }));
      case "document":
        return this.document(bubble.document);
      case "location":
        return el("div.place", { role: "img", "aria-label": say.shared_place });
      case "contact":
        return el("div.contact", {}, el("span.avatar", { "aria-hidden": "true" }, icon("person")), el("span", {}, say.contact_of));
      default:
        return null;
    }
  }

  document(file) {
    const type = file.name.split(".").at(-1).toUpperCase();
    const about = el("span", {}, el("b", {}, file.name), el("small", {}, `${size(file.size)} · ${type}`));
    return el("a.document", { href: file.url, target: "_blank", "data-testid": "document", "data-title": file.name, "data-type": file.type },
      el("span.file", { "aria-hidden": "true" }, type.slice(0, 4)), about);
  }

  text(bubble) {
    if (!bubble.html) return null;
    const text = el("div.text", { dir: "auto" });
    text.innerHTML = bubble.html; // bot/sandbox/markup.py escapes it
    return text;
  }

  meta(bubble) {
    const time = clock(new Date(bubble.at), this.language);
    const tick = bubble.from === "me" ? el("span.tick", { role: "img" }) : null;
    return el("span.meta", {}, bubble.edited ? `${words(this.language).edited} ` : null, el("time", { datetime: bubble.at }, time), tick);
  }

  button(button, bubble) {
    const mark = button.kind === "url" ? icon("out") : this.look === "whatsapp" ? icon("reply") : null;
    const name = `button.${button.kind}`;
    if (button.kind === "url") {
      const link = { href: button.url, target: "_blank", rel: "noopener", "data-testid": "link", "data-title": button.title };
      return el(`a.${name}`, link, mark, el("span", {}, button.title));
    }
    const node = el(`button.${name}`, { type: "button", "data-testid": "button" }, mark, el("span", {}, button.title));
    if (this.taps) node.addEventListener("click", () => this.taps.tap(button, bubble));
    else node.disabled = true;
    return node;
  }

  opener(bubble) {
    const node = el("button.button", { type: "button", "aria-haspopup": "dialog", "data-testid": "list-open" }, icon("list"), el("span", {}, bubble.list.button));
    node.addEventListener("click", () => this.taps?.openList(bubble));
    return node;
  }
}

/** The circle with a shop's or a person's initials. */
export function face(node, name) {
  node.textContent = initials(name);
}
