// The way to the outside world behind this page: bot/sandbox/people.py.

/** Have a person do something; an Error with the reason where it can't be done. */
export async function act(phone, deed, body = {}) {
  await posted(`/world/${phone}/${deed}`, JSON.stringify(body), "application/json");
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

const AGAIN_AFTER = 1500; // ms

/**
 * Tell `whole` the state and `piece` every event after it, again and again for as long as the page lives.
 * The stream is opened first and kept waiting, so that nothing falls between it and the state.
 */
export function follow({ whole, piece, lost }) {
  const stream = new EventSource("/world/events");
  let waiting = [];
  const again = () => {
    stream.close();
    lost();
    setTimeout(() => follow({ whole, piece, lost }), AGAIN_AFTER);
  };
  stream.onmessage = ({ data }) => (waiting ? waiting.push(JSON.parse(data)) : piece(JSON.parse(data)));
  stream.onerror = again;
  stream.onopen = async () => {
    try {
      whole(await (await fetch("/world/state", { cache: "no-store" })).json());
    } catch {
      again();
      return;
    }
    const missed = waiting;
    waiting = null;
    missed.forEach(piece);
  };
}
