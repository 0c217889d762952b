"""People who change their minds, say what they don't want, go away, and come back."""

from persona import End, Habit, Persona, Wish, at, habits, then

ANY_LATER = "technician|name|phone|email|plate|place|summary|plan"
"""Once day and hour are known."""

PEOPLE = (
    Persona(
        "another day, with the hour",
        "mau pasang jbl stage3 627f di avanza 2018 rabu",
        Wish(parts=["jbl-stage3-627f"]),
        on_the_way=[at("hour", "eh kamis jam 10", day="kamis")],
    ),
    Persona(
        "a change and an answer",
        "mau tuning audio avanza 2018 senin jam 10",
        Wish(services=["tuning-audio"], day="senin"),
        on_the_way=[
            at("technician|summary|plan", "eh ganti kamis aja", day="kamis"),
            at("sure|technician|summary|plan", "rizky aja", technician="rizky"),
        ],
    ),
    Persona(
        "another part",
        "mau pasang power venom diablo vd 4.100 di rush 2019 rabu jam 10",
        Wish(parts=["venom-diablo-vd-4-100"], car="Rush 2019"),
        on_the_way=[
            at(
                "more|more_services|technician|name|summary|plan",
                "eh ga jadi venom, skeleton skt 4.80 aja deh",
                parts=["skeleton-skt-4-80"],
            )
        ],
    ),
    Persona(
        "not this car but that",
        "mau tuning audio, bukan avanza tapi xenia 2019, rabu jam 10",
        Wish(services=["tuning-audio"], car="Xenia 2019"),
    ),
    Persona(
        "not this day but that",
        "mau tuning audio brio 2019, jumat ga bisa, sabtu jam 10 aja",
        Wish(services=["tuning-audio"], car="Brio 2019", day="sabtu"),
    ),
    Persona(
        "not in the morning",
        "mau cek audio brio 2019 kamis, jangan pagi ya",
        Wish(services=["cek-audio"], car="Brio 2019", day="kamis", hour=14),
        habits(Habit.BRIEF),
    ),
    Persona(
        "the other car, on the way",
        "mau pasang jbl stage3 627f di avanza 2018 rabu jam 10",
        Wish(parts=["jbl-stage3-627f"]),
        on_the_way=[at(f"more|more_services|{ANY_LATER}", "eh mobilnya bukan avanza, xenia 2019", car="Xenia 2019")],
    ),
    Persona(
        "another hour at the end",
        "mau tuning audio brio 2019 rabu jam 10",
        Wish(services=["tuning-audio"], car="Brio 2019"),
        on_the_way=[at("summary|plan", "jamnya ganti jam 1 siang ya", hour=13)],
    ),
    Persona(
        "at home after all",
        "mau tuning audio brio 2019 rabu jam 10",
        Wish(services=["tuning-audio"], car="Brio 2019"),
        on_the_way=[at("summary|plan", "eh di rumah aja deh", address="Jl. Kemang Raya 8, Jakarta Selatan")],
    ),
    Persona(
        "a down payment after all",
        "pasang kenwood kfc s1676ex avanza 2018 rabu jam 11 bayar lunas",
        Wish(parts=["kenwood-kfc-s1676ex"], hour=11),
        on_the_way=[at("summary|plan", "eh dp 30% aja dulu", pay="30")],
    ),
    Persona(
        "an hour corrected in one breath",
        "mau tuning audio avanza 2018 rabu jam 10 eh jam 11",
        Wish(services=["tuning-audio"], hour=11),
    ),
    Persona(
        "comes back after lunch",
        "mau pasang jbl stage3 627f di avanza 2018",
        Wish(parts=["jbl-stage3-627f"], hour=14),
        on_the_way=[at(f"day|hour|{ANY_LATER}", "halo kak, lanjut yang tadi", away=4)],
    ),
    Persona(
        "comes back the next day",
        "mau pasang ads ad 6200 di brio 2019",
        Wish(parts=["ads-ad-6200"], car="Brio 2019", day="kamis"),
        on_the_way=[at(f"hour|{ANY_LATER}", "kak yang kemarin jadi ya", away=24)],
    ),
    Persona(
        "from the beginning",
        "mau pasang subwoofer di brio 2019 rabu jam 10",
        Wish(parts=["subwoofer"], car="Brio 2019"),
        on_the_way=[
            at(
                "part|more|day|technician",
                "ulang dari awal",
                parts=["headunit"],
                car="Avanza 2018",
            )
        ],
        goes_on=["mau pasang head unit di avanza 2018 rabu jam 10"],
    ),
    Persona(
        "drops it",
        "mau pasang subwoofer di brio 2019 rabu jam 10",
        Wish(parts=["subwoofer"], car="Brio 2019"),
        habits(Habit.BRIEF),
        on_the_way=[at("part|more|technician|name|summary|plan", "ga jadi deh kak, batal")],
        end=End.NOTHING,
    ),
    Persona(
        "another hour, with the link there",
        "mau tuning audio brio 2019 rabu jam 10",
        Wish(services=["tuning-audio"], car="Brio 2019"),
        on_the_way=[at("link", "eh jamnya bisa ganti jam 1 siang ga?", hour=13)],
    ),
    Persona(
        "others take the place first",
        "mau tuning audio brio 2019 rabu jam 10",
        Wish(services=["tuning-audio"], car="Brio 2019"),
        on_the_way=[at("summary|plan", "bayar penuh", taken=("rabu", 10), hour=None)],
    ),
    Persona(
        "another way to pay",
        "mau tuning audio brio 2019 rabu jam 10",
        Wish(services=["tuning-audio"], car="Brio 2019"),
        on_the_way=[at("link", "ganti gopay aja bisa?", by="gopay")],
    ),
    Persona(
        "the link doesn't open",
        "mau tuning audio brio 2019 rabu jam 11",
        Wish(services=["tuning-audio"], car="Brio 2019", hour=11),
        on_the_way=[at("link", "kok linknya ga bisa dibuka kak")],
    ),
    Persona(
        "is it a fraud",
        "mau tuning audio brio 2019 rabu jam 14",
        Wish(services=["tuning-audio"], car="Brio 2019", hour=14),
        on_the_way=[at("link", "ini bukan penipuan kan?")],
    ),
    Persona(
        "the link has ended",
        "mau tuning audio brio 2019 kamis jam 14",
        Wish(services=["tuning-audio"], car="Brio 2019", day="kamis", hour=14),
        on_the_way=[at("link", "kak kirim link lagi dong", away=2)],
    ),
    Persona(
        "two cars in a line",
        "mau booking 2 mobil, avanza 2018 pasang head unit venom v9 plus sama brio 2021 pasang speaker ads ad 6200, rabu jam 10",
        Wish(parts=["venom-v9-plus"]),
        later=[then("yang brio 2021 pasang ads ad 6200 rabu jam 10 juga", parts=["ads-ad-6200"], car="Brio 2021")],
        also=[Wish(parts=["venom-v9-plus"])],
    ),
)
