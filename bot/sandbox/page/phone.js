// One phone: its chat, its input bar, and what can be sent from it.

import { Chat, face } from "./chat.js";
import { byId, el, icon } from "./dom.js";
import { samplePhoto } from "./photo.js";
import { words } from "./words.js";
import { act, sendPhoto } from "./world.js";

const APPS = { whatsapp: "WhatsApp", telegram: "Telegram" };
const PLACES = [
  { address: "Jl. Kemang Raya No. 10, Jakarta Selatan", latitude: -6.2607, longitude: 106.8137 },
  { address: "Jl. Margonda Raya No. 88, Depok", latitude: -6.3728, longitude: 106.8345 },
  { address: "Jl. Boulevard Bintaro Sektor 7, Tangerang Selatan", latitude: -6.2779, longitude: 106.7163 },
];
const HERE = { address: null, latitude: -6.2441, longitude: 106.7994 };
const TYPING_AT_MOST = 4000; // ms

export class Phone {
  /** A phone of the server by its name, with a messenger. */
  constructor(name, app, seat) {
    this.name = name;
    this.app = app;
    this.seat = seat;
    this.isStaffs = name !== app;
    seat.append(byId("of-phone").content.cloneNode(true));
    this.part("frame").classList.add(app);
    this.part("app").textContent = APPS[app];
    this.input = seat.querySelector("textarea");
    this.input.dataset.testid = `input-${name}`;
    this.part("send").dataset.testid = `send-${name}`;
    this.chat = new Chat(this.part("bubbles"), app, { tap: (button, bubble) => this.tap(button, bubble), openList: (bubble) => this.openList(bubble) });
    for (const part of ["fresh", "languages", "app"]) this.part(part).hidden = this.isStaffs;
    this.pressed = null; // the bubble whose reply keyboard was used and is hidden
    this.listen();
  }

  part(name) {
    return this.seat.querySelector(`.${name}`);
  }

  load({ person, bubbles }) {
    this.person = person;
    this.chat.language = person.language;
    this.chat.load(bubbles);
    this.closeSheet();
    this.dress();
  }

  take(event) {
    if (event.type === "delete") this.chat.remove(event.bubble.id);
    else this.chat.put(event.bubble);
    if (event.type === "bubble" && event.bubble.from === "shop") this.typing(false);
    this.lay();
  }

  named(shop) {
    this.part("who").textContent = shop;
    face(this.part("avatar"), shop);
  }

  /** Put text into the input bar without sending it. */
  offer(text) {
    this.input.value = text;
    this.grow();
    this.input.focus();
  }

  // --- display -----------------------------------------------------------------------------

  dress() {
    const say = words(this.person.language);
    this.seat.lang = this.person.language;
    this.seat.setAttribute("aria-label", `${APPS[this.app]}: ${this.person.name}`);
    this.part("owner").textContent = this.person.name;
    this.part("owner").title = this.person.number;
    this.part("chat").setAttribute("aria-label", say.chat);
    this.input.placeholder = say.write;
    this.input.setAttribute("aria-label", `${say.write}: ${APPS[this.app]}`);
    for (const [name, label] of [["send", say.send], ["clip", say.attach], ["more", say.more], ["close", say.close], ["down", say.newest]]) {
      this.part(name).setAttribute("aria-label", label);
    }
    for (const button of this.seat.querySelectorAll("[data-language]")) {
      button.setAttribute("aria-pressed", String(button.dataset.language === this.person.language));
    }
    this.part("unblock").textContent = say.blocked;
    this.part("unblock").hidden = !this.person.blocked;
    this.part("bar").hidden = this.person.blocked;
    this.typing(false);
    this.lay();
  }

  /** Show or hide the start screen and the reply keyboard. */
  lay() {
    const bubbles = this.chat.bubbles;
    const say = words(this.person.language);
    this.part("begin").hidden = bubbles.length > 0;
    if (this.isStaffs) {
      this.part("begin").replaceChildren(el("div.hello", {}, el("b", {}, say[this.name]), say[`${this.name}_more`]), this.starter(say.staff_start, "/staf"));
    } else if (this.app === "telegram") {
      this.part("begin").replaceChildren(el("div.hello", {}, el("b", {}, say.about), say.about_more), this.starter(say.start));
    } else {
      this.part("begin").replaceChildren(el("p.safe", {}, say.safe));
    }
    const holder = bubbles.findLast((bubble) => bubble.keyboard !== null);
    const keys = holder && holder.id !== this.pressed ? holder.keyboard : [];
    const keyboard = this.part("keyboard");
    keyboard.hidden = !keys.length || this.person.blocked;
    keyboard.replaceChildren(...keys.map((row) => el("div", {}, row.map((key) => this.key(key, holder)))));
  }

  starter(title, words = "/start") {
    const button = el("button", { type: "button", "data-testid": "start" }, title);
    button.addEventListener("click", () => this.say(words));
    return button;
  }

  key(key, holder) {
    const button = el("button", { type: "button", "data-testid": "key", "data-kind": key.kind }, key.title);
    button.addEventListener("click", () => {
      if (key.kind === "location") {
        this.choosePlace(() => { this.pressed = holder.id; });
        return;
      }
      this.pressed = holder.id;
      this.lay();
      if (key.kind === "contact") this.do("contact");
      else this.say(key.title);
    });
    return button;
  }

  typing(on) {
    clearTimeout(this.untilQuiet);
    const say = words(this.person.language);
    this.part("state").textContent = on ? say.typing : this.app === "whatsapp" ? say.online : say.bot;
    if (on) this.untilQuiet = setTimeout(() => this.typing(false), TYPING_AT_MOST);
  }

  toast(text) {
    const toast = this.part("toast");
    toast.textContent = text;
    clearTimeout(this.untilGone);
    this.untilGone = setTimeout(() => toast.replaceChildren(), 4000);
  }

  grow() {
    this.input.style.height = "auto";
    this.input.style.height = `${Math.min(this.input.scrollHeight, 120)}px`;
  }

  // --- actions ---------------------------------------------------------------------

  listen() {
    this.part("bar").addEventListener("submit", (event) => {
      event.preventDefault();
      this.sendWritten();
    });
    this.input.addEventListener("input", () => this.grow());
    this.input.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.sendWritten();
    });
    this.part("clip").addEventListener("click", () => this.openAttach());
    this.part("more").addEventListener("click", () => this.openMore());
    this.part("fresh").addEventListener("click", () => this.do("new-person"));
    this.part("unblock").addEventListener("click", () => this.toggleBlock());
    this.part("languages").addEventListener("click", ({ target }) => target.dataset.language && this.setLanguage(target.dataset.language));
    this.listenToChat();
    this.listenToSheet();
  }

  listenToChat() {
    const chat = this.part("chat");
    const down = this.part("down");
    chat.addEventListener("scroll", () => { down.hidden = chat.scrollTop > -120; });
    down.addEventListener("click", () => chat.scrollTo({ top: 0, behavior: "smooth" }));
    const file = this.seat.querySelector("input[type=file]");
    file.addEventListener("change", () => {
      if (file.files.length) this.hand(() => sendPhoto(this.name, file.files[0]));
      file.value = "";
    });
  }

  sendWritten() {
    const text = this.input.value.trim();
    if (!text) return;
    this.input.value = "";
    this.grow();
    this.say(text);
  }

  say(text) {
    return this.do("type", { text });
  }

  tap(button, bubble) {
    return this.do("tap", { button: button.id, bubble: bubble.id });
  }

  async setLanguage(language) {
    if (language === this.person.language || !await this.do("language", { language })) return;
    this.person.language = language;
    this.chat.speak(language);
    this.dress();
  }

  async toggleBlock() {
    if (!await this.do("block")) return;
    this.person.blocked = !this.person.blocked;
    this.dress();
  }

  do(action, body) {
    const spoken = ["type", "tap", "contact", "location"].includes(action);
    return this.hand(() => act(this.name, action, body), spoken);
  }

  /** Send an action; returns whether it succeeded. */
  async hand(action, spoken = true) {
    if (spoken) this.typing(true);
    this.chat.busy += 1;
    try {
      await action();
      return true;
    } catch (problem) {
      this.typing(false);
      this.toast(`${words(this.person.language).failed}: ${problem.message}`);
      return false;
    } finally {
      this.chat.busy -= 1;
      this.chat.tick();
    }
  }

  // --- bottom sheets -----------------------------------------------------------

  openList(bubble) {
    this.openSheet(bubble.list.button, bubble.list.items.map((item) =>
      this.choice({ title: item.title, more: item.description, mark: el("span.radio", { "aria-hidden": "true" }), testid: "list-item" }, () => this.tap(item, bubble))));
  }

  openAttach() {
    const say = words(this.person.language);
    const file = this.seat.querySelector("input[type=file]");
    this.openSheet(say.attach, [
      this.choice({ title: say.photo, mark: icon("photo"), testid: "attach-photo", tint: "violet" }, () => file.click()),
      this.choice({ title: say.sample, mark: icon("camera"), testid: "attach-sample", tint: "pink" }, () => this.hand(async () => sendPhoto(this.name, await samplePhoto()))),
      this.choice({ title: say.place, mark: icon("pin"), testid: "attach-location", tint: "green" }, () => this.choosePlace()),
      this.choice({ title: say.contact, mark: icon("person"), testid: "attach-contact", tint: "blue" }, () => this.do("contact")),
    ], "icons");
  }

  openMore() {
    const say = words(this.person.language);
    const fresh = this.choice({ title: say.fresh, mark: icon("fresh"), testid: "more-new-person" }, () => this.do("new-person"));
    this.openSheet(this.person.name, [
      ...(this.isStaffs ? [] : [fresh]),
      this.choice({ title: this.person.blocked ? say.unblock : say.block, mark: icon("block"), testid: "block" }, () => this.toggleBlock()),
    ]);
  }

  choosePlace(chosen = () => {}) {
    const say = words(this.person.language);
    const places = [{ ...HERE, title: say.here, more: say.here_more }, ...PLACES.map((place) => ({ ...place, title: place.address }))];
    this.openSheet(say.send_place, places.map(({ title, more, ...place }) =>
      this.choice({ title, more, mark: icon("pin"), testid: "place" }, () => {
        chosen();
        this.do("location", place);
      })), "places");
  }

  choice({ title, more = null, mark, testid, tint = null }, chosen) {
    const words = el("span", {}, el("b", {}, title), more ? el("small", {}, more) : null);
    const button = el("button", { type: "button", "data-testid": testid, "data-tint": tint }, el("span.mark", {}, mark), words);
    button.addEventListener("click", () => {
      this.closeSheet();
      chosen();
    });
    return button;
  }

  openSheet(title, choices, kind = "lines") {
    const sheet = this.part("sheet");
    this.opener = document.activeElement;
    sheet.querySelector("header b").textContent = title;
    sheet.setAttribute("aria-label", title);
    const list = sheet.querySelector(".choices");
    list.className = `choices ${kind}`;
    list.replaceChildren(...choices);
    list.scrollTop = 0;
    this.behind(true);
    sheet.hidden = false;
    choices[0].focus({ preventScroll: true });
  }

  closeSheet() {
    const sheet = this.part("sheet");
    if (sheet.hidden) return;
    sheet.hidden = true;
    this.behind(false);
    if (this.opener?.isConnected) this.opener.focus({ preventScroll: true });
  }

  behind(inert) {
    for (const part of ["head", "chat", "bar", "keyboard", "begin"]) this.part(part).inert = inert;
  }

  listenToSheet() {
    const sheet = this.part("sheet");
    this.part("close").addEventListener("click", () => this.closeSheet());
    sheet.addEventListener("click", ({ target }) => target === sheet && this.closeSheet());
    sheet.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      this.closeSheet();
    });
  }
}
