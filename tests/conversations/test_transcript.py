"""A transcript is read whole, or refused with the line that is wrong."""

import pytest
from transcript import BadTranscript, Chooses, Happens, Sees, Taps, Transcript, Types, read

GOOD = """\
# Two words and a tap.
: channel telegram
> halo
< Selamat datang

[Booking baru]
<! Selamat datang
@booked 2026-11-24T10:00 dedi
@pays
@photo bekas goresan
! paper:receipt:{code}
"""


def test_each_line_becomes_a_step() -> None:
    assert read(GOOD, "good.txt") == Transcript(
        settings={"channel": "telegram"},
        steps=[
            Types("good.txt line 3: > halo", "", "halo"),
            Sees("good.txt line 4: < Selamat datang", "", "Selamat datang", there=True),
            Taps("good.txt line 6: [Booking baru]", "", "Booking baru"),
            Sees("good.txt line 7: <! Selamat datang", "", "Selamat datang", there=False),
            Happens("good.txt line 8: @booked 2026-11-24T10:00 dedi", "", "booked", "2026-11-24T10:00 dedi"),
            Happens("good.txt line 9: @pays", "", "pays", ""),
            Happens("good.txt line 10: @photo bekas goresan", "", "photo", "bekas goresan"),
            Chooses("good.txt line 11: ! paper:receipt:{code}", "", "paper:receipt:{code}"),
        ],
    )


def test_where_several_talk_each_step_names_one() -> None:
    steps = read("# Both.\nsari > halo\nrina < Booking baru\n", "both.txt", people=["sari", "rina"]).steps
    assert [step.person for step in steps] == ["sari", "rina"]


@pytest.mark.parametrize(
    ("line", "mistake"),
    [
        ("halo", "unknown mark"),
        ("? halo", "unknown mark"),
        (" > halo", "unknown mark"),  # a mark begins its line
        (">", "a mark without text"),
        ("< ", "a mark without text"),
        ("<!", "a mark without text"),
        ("!", "a mark without text"),
        ("[]", "a mark without text"),
        ("[Booking baru", "a label ends with ]"),
        ("[Booking baru] now", "a label ends with ]"),
        ("@", "nothing known happens"),
        ("@paid", "nothing known happens"),
        ("@payslate", "nothing known happens"),
        ("@pays early", "@pays with the wrong words"),
        ("@pays by", "@pays by with the wrong words"),
        ("@contact sari", "@contact with the wrong words"),
        ("@waits 90", "@waits with the wrong words"),  # hours?
        ("@others book besok", "@others book with the wrong words"),
        ("@frees 2026-11-24", "@frees with the wrong words"),
        ("! refund:{rfund}", "unknown {rfund}"),
        ("! refund:{refund", "unknown {refund"),
        (": channel telegram", "a setting stands once, before the first step"),
        (": channel email", "unknown setting"),
        (": lang en", "unknown setting"),
        ("sari > halo", "unknown mark"),  # one person talks
    ],
)
def test_a_wrong_line_is_named(line: str, mistake: str) -> None:
    with pytest.raises(BadTranscript) as caught:
        read(f"> halo\n< Selamat datang\n{line}\n", "bad.txt")
    assert str(caught.value).startswith(f"bad.txt line 3: {mistake}")
    assert str(caught.value).endswith(repr(line))


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("# A greeting.\n< Selamat datang\n", "bad.txt line 2: expects something before anything was said"),
        (": language en\n: language id\n> halo\n< Hi\n", "bad.txt line 2: a setting stands once"),
        ("> halo\n", "bad.txt: expects nothing"),
        ("", "bad.txt: expects nothing"),
    ],
)
def test_a_transcript_that_shows_nothing_is_refused(text: str, mistake: str) -> None:
    with pytest.raises(BadTranscript) as caught:
        read(text, "bad.txt")
    assert str(caught.value).startswith(mistake)


@pytest.mark.parametrize(
    ("line", "mistake"),
    [
        ("siti > halo", "begins with none of sari, rina"),
        ("> halo", "begins with none of sari, rina"),
        (": channel telegram", "begins with none of sari, rina"),
        ("sari", "unknown mark"),
        ("sari halo", "unknown mark"),
        ("sari >", "a mark without text"),
    ],
)
def test_where_several_talk_a_line_without_a_name_is_named(line: str, mistake: str) -> None:
    with pytest.raises(BadTranscript, match=f"^bad.txt line 2: {mistake}"):
        read(f"sari > halo\n{line}\n", "bad.txt", people=["sari", "rina"])
