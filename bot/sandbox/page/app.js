// The page: the phones of two customers, of the owner and the technician, and the mailbox.

import { byId, clock, el } from "./dom.js";
import { catchLinks, showMail } from "./panel.js";
import { Phone } from "./phone.js";
import { follow } from "./world.js";

const CUSTOMERS = { whatsapp: "whatsapp", telegram: "telegram" };
const STAFF = { owner: "telegram", technician: "telegram" };
const phones = Object.fromEntries(Object.entries({ ...CUSTOMERS, ...STAFF }).map(([name, app]) => [name, new Phone(name, app, byId(name))]));
let lastUsed = phones.whatsapp; // the customer's phone that was used last

function showState(state) {
  byId("lost").hidden = true;
  name(state.shop.name || "Bengkel");
  if (state.shop.sample) suggest(state.shop.sample);
  for (const [key, phone] of Object.entries(phones)) phone.load(state.phones[key]);
  byId("letters").replaceChildren();
  state.mail.forEach(post);
  document.body.dataset.ready = "";
}

function handleEvent(event) {
  if (event.type === "mail") return arrive("mail", () => post(event.mail));
  if (event.type === "reset") return phones[event.phone].load({ person: event.person, bubbles: [] });
  if (event.type === "end") return undefined;
  const phone = Object.values(phones).find(({ app, person }) => app === event.phone && person.id === event.person);
  const news = event.type === "bubble" && event.bubble.from === "shop";
  return phone && arrive(phone.name, () => phone.take(event), news);
}

/** The line to try first names a day on which the shop is open. */
function suggest(line) {
  const first = document.querySelector(".try");
  first.dataset.text = line;
  first.querySelector("b").textContent = line;
}

function name(shop) {
  byId("shop").textContent = shop;
  document.title = `${shop} · simulasi`;
  for (const phone of Object.values(phones)) phone.named(shop);
}

function post(mail) {
  const open = el("button", { "data-testid": "mail" },
    el("span.to", {}, mail.to), el("time", {}, clock(new Date(mail.at), "id")),
    el("b", {}, mail.subject), el("small", {}, mail.attachments.map((file) => file.name).join(", ")));
  open.addEventListener("click", () => showMail(mail));
  byId("letters").prepend(el("li", {}, open));
}

// --- tabs: for the staff's phones, and on a small screen for everything ----------------------------

/** Show a new bubble or mail, and count it on the tab if that is hidden. */
function arrive(tab, show, news = true) {
  show();
  if (!news) return;
  byId(tab).classList.remove("rings");
  requestAnimationFrame(() => byId(tab).classList.add("rings"));
  if (byId(tab).offsetParent !== null) return;
  for (const count of counts(tab)) count.textContent = String(Number(count.textContent) + 1);
}

const counts = (tab) => document.querySelectorAll(`button[data-tab=${tab}] em`);

function turnTo(tab) {
  const { dataset } = document.body;
  dataset.shown = tab;
  if (tab in STAFF) dataset.staff = tab;
  for (const button of document.querySelectorAll("button[data-tab]")) {
    button.toggleAttribute("aria-current", button.dataset.tab === (button.closest(".switch") ? dataset.staff : tab));
  }
  for (const count of counts(tab)) count.replaceChildren();
  if (tab in CUSTOMERS) lastUsed = phones[tab];
}

for (const staff of Object.keys(STAFF)) phones[staff].part("caption").append(byId("of-staff").content.cloneNode(true));
document.addEventListener("click", ({ target }) => {
  const button = target.closest("button[data-tab]");
  if (button) turnTo(button.dataset.tab);
});
turnTo("whatsapp");

// --- suggestions ----------------------------------------------------------------------------------

for (const customer of Object.keys(CUSTOMERS)) byId(customer).addEventListener("focusin", () => { lastUsed = phones[customer]; });

function unfold(open) {
  document.body.classList.toggle("unfolded", open);
  byId("help").setAttribute("aria-expanded", String(open));
}

byId("help").addEventListener("click", () => unfold(!document.body.classList.contains("unfolded")));
for (const button of document.querySelectorAll(".try")) {
  button.addEventListener("click", () => {
    const phone = phones[button.dataset.phone] || lastUsed;
    unfold(false);
    turnTo(phone.name);
    phone.offer(button.dataset.text);
  });
}

function tellTime() {
  for (const face of document.querySelectorAll(".status .clock")) face.textContent = clock(new Date(), "id");
}

tellTime();
setInterval(tellTime, 10_000);
catchLinks();
follow({ onState: showState, onEvent: handleEvent, onLost: () => { byId("lost").hidden = false; } });
