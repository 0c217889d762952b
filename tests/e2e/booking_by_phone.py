"""Steps of a person who books in a chat, and waiting for the replies."""

from bot.sandbox.phones import Bubble, Person


async def sees(person: Person, words: str) -> Bubble:
    """Wait for a bubble with this text, in any case."""
    while True:
        bubble = await person.next_reply()
        if words.casefold() in bubble.text.casefold():
            return bubble


async def says(person: Person, words: str, answer: str, *, times: int = 1) -> Bubble:
    """Type text and wait for the reply."""
    await person.type(words, times=times)
    return await sees(person, answer)


async def taps(person: Person, title: str, answer: str, *, times: int = 1) -> Bubble:
    """Tap a button or list entry and wait for the reply."""
    await person.tap(title, times=times)
    return await sees(person, answer)


def link_in(bubble: Bubble) -> str:
    """The token of the payment link in a bubble."""
    urls = [button.url for row in bubble.buttons for button in row if button.url]
    return (urls or [word for word in bubble.text.split() if word.startswith("http")])[-1].rsplit("/", 1)[-1]


async def book(
    person: Person,
    *,
    name: str = "Budi Santoso",
    email: str = "lewati",
    share: str = "Bayar penuh",
    times: int = 1,
    until: str = "Silakan bayar",
) -> Bubble:
    """Book a speaker with installation, from hello to the payment link; paid in full by QRIS by default."""
    await says(person, "mau pasang speaker di avanza 2018 besok jam 10", "Ini pilihan", times=times)
    await says(person, "jbl stage3 627", "Ada tambahan lain", times=times)
    await says(person, "lanjut", "Ada lagi", times=times)
    await says(person, "lanjut", "Mau dikerjakan siapa", times=times)
    await taps(person, "Siapa saja", "Atas nama siapa", times=times)
    if person.network.name == "telegram":
        await says(person, name, "Nomor HP", times=times)
        await person.share_contact(times=times)
        await sees(person, "e-mail")
    else:
        await says(person, name, "e-mail", times=times)
    await says(person, email, "Nomor polisi", times=times)
    await taps(person, "Lewati", "Dikerjakan di mana", times=times)
    await taps(person, "Di bengkel", "Ringkasan booking", times=times)
    await taps(person, "Lanjut bayar", "Mau bayar lewat apa", times=times)
    await taps(person, "QRIS", "Bayar penuh", times=times)
    await person.tap(share, times=times)
    return await sees(person, until)
