"""Steps of a person who books in a chat, and waiting for the replies."""

from bot.sandbox.phones import Bubble, Person

SUMMARY = "Ringkasan booking"
PART = "jbl stage3 627"


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


async def to_the_summary(
    person: Person, *, name: str | None = None, email: str | None = None, times: int = 1
) -> Bubble:
    """Order a speaker with its installation for tomorrow; without a name, that of the profile stands."""
    await says(person, "mau pasang speaker di avanza 2018 besok jam 10", "Mau yang mana", times=times)
    if person.network.name == "telegram":
        await says(person, PART, "Nomor HP", times=times)
        await person.share_contact(times=times)
    else:
        await person.type(PART, times=times)
    summary = await sees(person, SUMMARY)
    if name is not None:
        summary = await changes(person, "Nama", "Atas nama siapa", name, times=times)
    if email is not None:
        summary = await changes(person, "E-mail", "e-mail", email, times=times)
    return summary


async def changes(person: Person, line: str, question: str, words: str, *, times: int = 1) -> Bubble:
    """Change a line on the second page of the summary's corrections."""
    await taps(person, "Ubah", "mau diubah", times=times)
    await taps(person, "Lihat lainnya ▸", "mau diubah", times=times)
    await taps(person, line, question, times=times)
    return await says(person, words, SUMMARY, times=times)


async def book(
    person: Person,
    *,
    name: str | None = None,
    email: str | None = None,
    share: str = "bayar penuh",
    times: int = 1,
    until: str = "Silakan bayar",
) -> Bubble:
    """Book a speaker with its installation, from the first message to the payment link; paid in full by default."""
    await to_the_summary(person, name=name, email=email, times=times)
    return await says(person, share, until, times=times)
