// The page: two phones to write on, the owner's phone and the mailbox to look at.

import { Chat, face } from "./chat.js";
import { byId, clock, el } from "./dom.js";
import { catchLinks, narrow, showMail } from "./panel.js";
import { Phone } from "./phone.js";
import { follow } from "./world.js";

const phones = { whatsapp: new Phone("whatsapp", byId("whatsapp")), telegram: new Phone("telegram", byId("telegram")) };
const owner = new Chat(document.querySelector("#owner .bubbles"), "telegram");
let ownerId = null;
let inHand = phones.whatsapp; // the phone used last

function whole(state) {
  byId("lost").hidden = true;
  name(state.shop.name || "Bengkel");
  for (const [app, phone] of Object.entries(phones)) phone.load(state.phones[app]);
  const [first] = state.others;
  ownerId = first ? first.id : null;
  byId("owner-name").textContent = first ? first.name : "";
  owner.load(first ? first.bubbles : []);
  byId("letters").replaceChildren();
  state.mail.forEach(post);
  document.body.dataset.ready = "";
}

function piece(event) {
  if (event.type === "mail") return arrive("mail", () => post(event.mail));
  if (event.type === "reset") return phones[event.phone].load({ person: event.person, bubbles: [] });
  if (event.type === "end") return undefined;
  const news = event.type === "bubble" && event.bubble.from === "shop";
  if (event.person === ownerId) return arrive("owner", () => (event.type === "delete" ? owner.remove(event.bubble.id) : owner.put(event.bubble)), news);
  const phone = phones[event.phone];
  if (event.person === phone.person.id) arrive(event.phone, () => phone.take(event), news);
  return undefined;
}

function name(shop) {
  byId("shop").textContent = shop;
  document.title = `${shop} · simulasi`;
  for (const phone of Object.values(phones)) phone.named(shop);
  document.querySelector("#owner .who").textContent = shop;
  face(document.querySelector("#owner .avatar"), shop);
}

function post(mail) {
  const open = el("button", { "data-testid": "mail" },
    el("span.to", {}, mail.to), el("time", {}, clock(new Date(mail.at), "id")),
    el("b", {}, mail.subject), el("small", {}, mail.attachments.map((file) => file.name).join(", ")));
  open.addEventListener("click", () => showMail(mail));
  byId("letters").prepend(el("li", {}, open));
}

// --- one at a time, on a small screen -------------------------------------------------------------

/** Show what came, and mark its tab while another one is shown. */
function arrive(tab, show, news = true) {
  show();
  if (!news) return;
  byId(tab).classList.remove("rings");
  requestAnimationFrame(() => byId(tab).classList.add("rings"));
  if (!narrow() || document.body.dataset.shown === tab) return;
  const count = badge(tab);
  count.textContent = String(Number(count.textContent) + 1);
  count.hidden = false;
}

const badge = (tab) => document.querySelector(`.tabs [data-tab=${tab}] em`);

function turnTo(tab) {
  document.body.dataset.shown = tab;
  for (const button of document.querySelectorAll(".tabs button")) button.toggleAttribute("aria-current", button.dataset.tab === tab);
  badge(tab).hidden = true;
  badge(tab).textContent = "";
  if (phones[tab]) inHand = phones[tab];
}

document.querySelector(".tabs").addEventListener("click", ({ target }) => {
  const button = target.closest("button");
  if (button) turnTo(button.dataset.tab);
});

// --- what to try ----------------------------------------------------------------------------------

for (const phone of Object.values(phones)) phone.seat.addEventListener("focusin", () => { inHand = phone; });

function unfold(open) {
  document.body.classList.toggle("unfolded", open);
  byId("help").setAttribute("aria-expanded", String(open));
}

byId("help").addEventListener("click", () => unfold(!document.body.classList.contains("unfolded")));
for (const button of document.querySelectorAll(".try")) {
  button.addEventListener("click", () => {
    unfold(false);
    turnTo(inHand.app);
    inHand.offer(button.dataset.text);
  });
}

function tellTime() {
  for (const face of document.querySelectorAll(".status .clock")) face.textContent = clock(new Date(), "id");
}

tellTime();
setInterval(tellTime, 10_000);
catchLinks();
follow({ whole, piece, lost: () => { byId("lost").hidden = false; } });
