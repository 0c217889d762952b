"""Hypothesis strategies for messages, for the renderers' property tests."""

from dataclasses import replace

from hypothesis import strategies as st

from core.messaging.messages import Document, Link, Message, Option, Say, say

awkward = st.sampled_from(
    [
        "<b>Budi</b> & <script>alert(1)</script>",
        "*tebal* _miring_ ~coret~ `kode` ```blok```",
        "> kutipan\n> kedua",
        "مرحبا \u202eterbalik\u202c",
        "👨‍👩‍👧‍👦🎉" * 40,
        "{{1}} {{2}} &lt; &amp;",
        "a" * 10_000,
        "kata " * 2_000,
        "baris\n" * 700,
        "   ",
        "\n\n\n",
    ]
)
words = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=80) | awkward


def paragraphs() -> st.SearchStrategy[Say]:
    return words.map(lambda text: say("channel.link", label=text))


def options(most: int) -> st.SearchStrategy[tuple[Option, ...]]:
    option = st.builds(Option, id=st.just("x"), label=words, hint=st.none() | words)
    return st.lists(option, max_size=most).map(
        lambda drawn: tuple(replace(each, id=f"see:BK-{number}") for number, each in enumerate(drawn))
    )


def messages(most_options: int = 12) -> st.SearchStrategy[Message]:
    return st.builds(
        Message,
        says=st.lists(paragraphs(), min_size=1, max_size=3).map(tuple),
        options=options(most_options),
        prompt=st.none() | st.integers(0, 10**9),
        link=st.none() | st.just(Link("https://app.sandbox.midtrans.com/snap/v4/a_b-c", say("channel.open_list"))),
        document=st.none() | st.just(Document("invoice", "BK-7")),
        wants=st.sampled_from([None, "contact", "location"]),
        button=st.none() | paragraphs(),
    )
