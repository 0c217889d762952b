"use strict";
// Draws the page from {token}/state with page.html's templates. Data from the server is set as
// textContent, never as markup.

const base = location.pathname.replace(/\/$/, "");
const rupiah = (amount) => (amount < 0 ? "−Rp" : "Rp") + Math.abs(amount).toLocaleString("id-ID");
const GROUPS = {
  va: "Virtual account", ewallet: "E-wallet", qris: "Kode QR", card: "Kartu", store: "Minimarket",
};
const BADGES = {
  bca_va: "BCA", bni_va: "BNI", bri_va: "BRI", echannel: "Mandiri", permata_va: "PMT", cimb_va: "CIMB", other_va: "VA",
  gopay: "Go", shopeepay: "SP", dana: "DA", ovo: "OVO", other_qris: "QR", credit_card: "CC",
  indomaret: "IDM", alfamart: "ALFA",
};
const RESULTS = {
  settlement: "paid", capture: "paid", challenge: "challenge", deny: "denied", expire: "expired",
  cancel: "cancelled", refund: "refunded", partial_refund: "refunded",
};

let state = null;      // the server's last state
let endsAt = 0;        // by this page's clock, which may differ from the server's
let shown = "";        // the current view, so that polling doesn't redraw a form in use
let detour = null;     // "card", "abandoned" or "choose": views that exist only here

const part = (name) => document.getElementById(`of-${name}`).content.cloneNode(true);
const view = () => document.getElementById("view");

async function call(verb, body) {
  const options = body && { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  const answer = await fetch(`${base}/${verb}`, options);
  if (!answer.ok && answer.status !== 409) throw new Error(String(answer.status));
  if (answer.status === 409) toast("Tidak bisa sekarang · Not possible now");
  state = await answer.json();
  endsAt = performance.now() + state.seconds * 1000;
  draw();
}

async function press(verb, body) {
  document.body.classList.add("busy");
  try {
    await call(verb, body);
  } catch {
    toast("Server simulasi tidak menjawab. The simulation doesn't answer.");
  }
  document.body.classList.remove("busy");
}

function draw() {
  const name = viewName();
  const key = JSON.stringify([name, state.attempt, state.channels, state.finish]);
  document.getElementById("clock").hidden = !["choose", "card", "pending"].includes(name);
  document.getElementById("desk").hidden = !["choose", "card", "pending"].includes(name);
  document.querySelector("[data-verb=fail]").hidden = name !== "pending";
  if (key === shown) return;
  shown = key;
  const drawn = name === "choose" ? chooser() : name === "card" ? cardForm() : name === "pending" ? pending() : result(name);
  view().replaceChildren(drawn);
  document.body.dataset.view = name;
  fill();
}

function viewName() {
  const status = state.attempt && state.attempt.status;
  if (detour === "abandoned") return detour;
  if (status === "pending") return "pending";
  if (status && !(status === "deny" && detour)) return RESULTS[status];
  if (!state.open) return state.closed ? "cancelled" : "expired";
  return detour === "card" ? "card" : "choose";
}

function fill() {
  const attempt = state.attempt;
  const channel = detour === "card" ? "credit_card" : attempt && attempt.channel.name;
  const known = state.channels.find((each) => each.name === channel) || (attempt && attempt.channel);
  const values = {
    merchant: state.merchant, initial: state.merchant.trim().charAt(0).toUpperCase(), order_id: state.order_id,
    amount: rupiah(state.amount), channel: known ? known.label : "",
  };
  for (const slot of document.querySelectorAll("[data-fill]")) slot.textContent = values[slot.dataset.fill];
  for (const badge of view().querySelectorAll(".chosen .badge, .handset .badge")) paint(badge, channel);
  const rows = state.items.map((item) => row(`${item.quantity > 1 ? `${item.quantity} × ` : ""}${item.name}`, rupiah(item.price * item.quantity)));
  document.getElementById("items").hidden = !rows.length;
  document.querySelector("#items tbody").replaceChildren(...rows);
}

function row(name, value) {
  const line = document.createElement("tr");
  for (const text of [name, value]) line.insertCell().textContent = text;
  return line;
}

function paint(badge, channel) {
  badge.textContent = BADGES[channel] || "?";
  badge.dataset.channel = channel;
}

function chooser() {
  const drawn = part("choose");
  for (const [group, title] of Object.entries(GROUPS)) {
    const channels = state.channels.filter((channel) => channel.group === group);
    if (!channels.length) continue;
    const section = part("group");
    section.querySelector("h2").textContent = title;
    section.querySelector("ul").append(...channels.map(channelButton));
    drawn.querySelector(".groups").append(section);
  }
  return drawn;
}

function channelButton(channel) {
  const drawn = part("channel");
  const button = drawn.querySelector("button");
  button.dataset.testid = `channel-${channel.name}`;
  button.querySelector("b").textContent = channel.label;
  paint(button.querySelector(".badge"), channel.name);
  button.onclick = () => {
    detour = channel.group === "card" ? "card" : "choose";
    if (channel.group === "card") draw();
    else press("choose", { channel: channel.name });
  };
  return drawn;
}

function cardForm() {
  const drawn = part("card");
  const form = drawn.querySelector("form");
  for (const chip of drawn.querySelectorAll("[data-card]")) {
    chip.onclick = () => { form.elements.card.value = chip.dataset.card; };
  }
  drawn.querySelector("#back").onclick = () => { detour = "choose"; draw(); };
  form.onsubmit = (event) => {
    event.preventDefault();
    detour = null;
    press("pay", { channel: "credit_card", card: form.elements.card.value });
  };
  return drawn;
}

function pending() {
  const { channel, payment_details: numbers } = state.attempt;
  const drawn = part(channel.group === "card" ? "ewallet" : channel.group);
  if (channel.group === "qris") drawn.querySelector("img").src = `${base}/qr.svg`;
  const list = drawn.querySelector(".numbers");
  if (list) list.append(...payTo(numbers, channel).map(([label, value]) => number(label, value)));
  return drawn;
}

function payTo(numbers, channel) {
  const amount = ["Jumlah · Amount", rupiah(state.amount)];
  if (numbers.bill_key) return [["Kode perusahaan · Biller code", numbers.biller_code], ["Nomor tagihan · Bill key", numbers.bill_key], amount];
  if (numbers.payment_code) return [[`Kode bayar ${channel.label}`, numbers.payment_code], amount];
  const account = numbers.permata_va_number || (numbers.va_numbers && numbers.va_numbers[0].va_number);
  return [["Nomor virtual account", account], amount];
}

function number(label, value) {
  const drawn = part("number");
  drawn.querySelector("span").textContent = label;
  const output = drawn.querySelector("output");
  output.textContent = /^\d{8,}$/.test(value) ? value.replace(/(\d{4})(?=\d)/g, "$1 ") : value;
  if (/^\d/.test(value)) output.dataset.testid = "pay-number";
  drawn.querySelector("button").onclick = () => copy(value.replace(/\D/g, ""));
  return drawn;
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    toast("Tersalin · Copied");
  } catch {
    toast(text);  // the browser forbids copying: show the text instead
  }
}

function result(name) {
  const drawn = part(name);
  const details = drawn.querySelector("dl");
  const told = state.attempt && name !== "abandoned"
    ? [["Cara bayar", state.attempt.channel.label], ["Nomor pesanan", state.order_id], ["Nomor transaksi", state.attempt.id.slice(0, 13)]]
    : [["Nomor pesanan", state.order_id]];
  for (const [label, value] of told) {
    details.append(Object.assign(document.createElement("dt"), { textContent: label }));
    details.append(Object.assign(document.createElement("dd"), { textContent: value }));
  }
  const again = drawn.querySelector("#again");
  if (again) {
    again.hidden = !state.open;
    again.onclick = () => { detour = "choose"; draw(); };
  }
  if (state.finish) {
    const finish = part("finish");
    finish.querySelector("a").href = state.finish;
    drawn.querySelector(".result").append(finish);
  }
  return drawn;
}

function toast(text) {
  const bar = document.getElementById("toast");
  bar.textContent = text;
  bar.classList.add("up");
  clearTimeout(toast.timer);
  toast.timer = setTimeout(() => bar.classList.remove("up"), 2200);
}

function count() {
  if (!state) return;
  const left = Math.max(0, Math.round((endsAt - performance.now()) / 1000));
  const [hours, minutes, seconds] = [Math.floor(left / 3600), Math.floor(left / 60) % 60, left % 60];
  const two = (value) => String(value).padStart(2, "0");
  document.getElementById("countdown").textContent = `${hours ? `${two(hours)}:` : ""}${two(minutes)}:${two(seconds)}`;
  document.getElementById("progress").value = state.seconds_in_all ? left / state.seconds_in_all : 0;
  document.getElementById("clock").classList.toggle("soon", left < 300);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-verb]");
  if (!button) return;
  detour = button.dataset.verb === "abandon" ? "abandoned" : null;
  press(button.dataset.verb, {});
});

call("state").then(count, () => toast("Halaman tidak ditemukan. Page not found."));
setInterval(count, 1000);
setInterval(() => { if (!document.hidden) call("state").catch(() => {}); }, 3000);
