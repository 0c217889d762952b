// Calls the server of this page: bot/sandbox/world_api.py.

/** Have a person do something; throws an Error with the reason if it fails. */
export async function act(phone, action, body = {}) {
  await posted(`/world/${phone}/${action}`, JSON.stringify(body), "application/json");
}

/** Send a picture. */
export async function sendPhoto(phone, picture) {
  await posted(`/world/${phone}/photo`, picture, picture.type);
}

async function posted(path, body, type) {
  const answer = await fetch(path, { method: "POST", headers: { "Content-Type": type }, body });
  if (answer.ok) return;
  const problem = await answer.json().catch(() => ({}));
  throw new Error(problem.message || String(answer.status));
}

const RECONNECT_DELAY = 1500; // ms

/**
 * Call `onState` with the state and `onEvent` with every later event; reconnects after an error.
 * The stream opens before the state is fetched, and its events wait, so that none is missed.
 */
export function follow({ onState, onEvent, onLost }) {
  const stream = new EventSource("/world/events");
  let waiting = [];
  const reconnect = () => {
    stream.close();
    onLost();
    setTimeout(() => follow({ onState, onEvent, onLost }), RECONNECT_DELAY);
  };
  stream.onmessage = ({ data }) => (waiting ? waiting.push(JSON.parse(data)) : onEvent(JSON.parse(data)));
  stream.onerror = reconnect;
  stream.onopen = async () => {
    try {
      onState(await (await fetch("/world/state", { cache: "no-store" })).json());
    } catch {
      reconnect();
      return;
    }
    const missed = waiting;
    waiting = null;
    missed.forEach(onEvent);
  };
}
