"""People who know what they want; they differ in how they say it."""

from persona import End, Habit, Persona, Wish, at, habits

ONE_LINE = Persona(
    "everything in one line",
    "mau pasang jbl stage3 627f di avanza 2018 besok jam 10 di bengkel",
    Wish(parts=["jbl-stage3-627f"], day="besok"),
    channel="whatsapp",
)
PLAIN = Persona(
    "speakers for an avanza",
    "mau pasang speaker di avanza 2018",
    Wish(parts=["speaker"]),
    habits(Habit.BRIEF),
    channel="whatsapp",
)
"""The two that `make bench` counts."""

PEOPLE = (
    ONE_LINE,
    PLAIN,
    Persona("only taps", "halo", Wish(parts=["speaker"], car="Brio 2019", day="kamis", hour=11), habits(Habit.TAPS)),
    Persona("only numbers", "halo kak", Wish(parts=["subwoofer"], hour=13), habits(Habit.NUMBERS)),
    Persona(
        "mistypes a part's name",
        "mau psang pioneer ts a1670f di xenia 2019 kamis jam 11",
        Wish(parts=["pioneer-ts-a1670f"], car="Xenia 2019", day="kamis", hour=11),
        habits(Habit.TYPOS),
    ),
    Persona(
        "a budget",
        "ada speaker budget 800rb buat brio 2019? mau pasang jumat jam 1 siang",
        Wish(parts=["speaker"], at_most=800_000, car="Brio 2019", day="jumat", hour=13),
    ),
    Persona(
        "a budget for a head unit",
        "kak punya duit 2jt mau ganti head unit android, mobil calya 2019",
        Wish(parts=["headunit"], at_most=2_000_000, car="Calya 2019", day="sabtu", hour=9),
        habits(Habit.SHORT),
    ),
    Persona(
        "services only",
        "mau tuning audio brio 2019 jumat jam 10",
        Wish(services=["tuning-audio"], car="Brio 2019", day="jumat"),
    ),
    Persona(
        "cash for services",
        "mau pasang peredam 4 pintu di ertiga 2018 sabtu jam 9, bayar tunai ya",
        Wish(services=["peredam-pintu"], car="Ertiga 2018", day="sabtu", hour=9, pay="cash"),
        habits(Habit.BRIEF),
    ),
    Persona(
        "own parts",
        "saya bawa speaker sendiri, pasang aja di xenia 2019 kamis jam 11 bisa?",
        Wish(services=["pasang-speaker"], car="Xenia 2019", day="kamis", hour=11),
    ),
    Persona(
        "own head unit from a web shop",
        "saya udah beli head unit di toko online, cuma mau jasa pasang. mobil brio 2019",
        Wish(services=["pasang-head-unit"], car="Brio 2019", hour=13),
        habits(Habit.POLITE),
    ),
    Persona(
        "a repair",
        "mau servis head unit avanza 2018 senin jam 9",
        Wish(services=["servis-head-unit"], day="senin", hour=9),
    ),
    Persona(
        "one side is dead",
        "speaker mobil saya mati sebelah, bisa diperbaiki? ertiga 2018",
        Wish(services=["cek-audio"], car="Ertiga 2018", hour=14),
        habits(Habit.SHORT),
    ),
    Persona(
        "parts only",
        "mau beli kabel power venom vk 4 aja, ga usah dipasang, saya ambil di bengkel",
        Wish(parts=["venom-vk-4"], parts_only=True, day="", hour=None),
    ),
    Persona(
        "two pairs",
        "mau pasang 2 pasang speaker venom virus v6.2 di avanza 2018 sabtu jam 9",
        Wish(parts=["venom-virus-v6-2"], count=2, day="sabtu", hour=9),
    ),
    Persona(
        "at home",
        "bisa pasang kamera mundur di rumah ga? mobil rush 2019, kameranya venom vrc 360, kamis jam 10",
        Wish(parts=["venom-vrc-360"], car="Rush 2019", day="kamis", address="Jl. Kemang Raya 8, Jakarta Selatan"),
    ),
    Persona(
        "at home, says it vaguely first",
        "mau tuning audio brio 2019 jumat jam 10, teknisinya aja yg kesini",
        Wish(services=["tuning-audio"], car="Brio 2019", day="jumat", address="Jl. Tebet Barat 12, Jakarta Selatan"),
        on_the_way=[at("address", "di rumah saya")],
    ),
    Persona(
        "a down payment",
        "mau pasang hu venom v9 plus di avanza 2018 rabu jam 10 bisa dp dulu ga?",
        Wish(parts=["venom-v9-plus"], pay="30"),
    ),
    Persona(
        "half now",
        "pasang subwoofer kolong venom vx 8.8 di brio 2019 rabu jam 13",
        Wish(parts=["venom-vx-8-8-sl"], car="Brio 2019", hour=13, pay="50", by="gopay"),
        habits(Habit.BRIEF),
    ),
    Persona(
        "a technician by name",
        "mau pasang skeleton skt 8189 di avanza 2018 rabu jam 10 sama mas dedi ya",
        Wish(parts=["skeleton-skt-8189"], technician="dedi"),
    ),
    Persona(
        "not that technician",
        "mau tuning audio brio 2019 rabu jam 10",
        Wish(services=["tuning-audio"], car="Brio 2019", without="rizky"),
        on_the_way=[at("technician|plan|summary", "jgn sama rizky, kmrn kurang rapi")],
    ),
    Persona(
        "any time",
        "mau pasang speaker kenwood kfc s1676ex di avanza 2018, kapan aja bisa",
        Wish(parts=["kenwood-kfc-s1676ex"], day="", hour=None),
    ),
    Persona(
        "in English, one line",
        "hi, I want to install a JBL Stage3 627F in my Avanza 2018 tomorrow at 10",
        Wish(parts=["jbl-stage3-627f"], day="besok"),
        habits(Habit.ENGLISH),
    ),
    Persona(
        "in English, step by step",
        "hello, do you install subwoofers?",
        Wish(parts=["subwoofer"], car="Brio 2019", hour=14),
        habits(Habit.ENGLISH),
        goes_on=["i want an under seat subwoofer in my brio 2019"],
    ),
    Persona(
        "in Javanese",
        "kulo nuwun, badhe masang speaker teng avanza 2018, regane piro?",
        Wish(parts=["speaker"], hour=11),
        habits(Habit.JAVANESE),
        goes_on=["badhe booking masang speaker avanza 2018"],
    ),
    Persona(
        "in Sundanese",
        "sampurasun, bade masang speaker kanggo avanza 2018, sabaraha?",
        Wish(parts=["speaker"], hour=13),
        habits(Habit.SUNDANESE),
        goes_on=["bade booking masang speaker avanza 2018"],
    ),
    Persona(
        "in bursts",
        ("halo kak", "mau pasang head unit", "di brio 2019", "sabtu jam 9 bisa?"),
        Wish(parts=["headunit"], car="Brio 2019", day="sabtu", hour=9),
        habits(Habit.BURSTS),
    ),
    Persona(
        "one word a message",
        ("mau", "pasang", "subwoofer", "brio", "2019"),
        Wish(parts=["subwoofer"], car="Brio 2019", hour=13),
    ),
    Persona(
        "everything, in bursts",
        ("pagi", "mau psg pioneer ts a1670f", "mobil avanza 2018", "rabu", "jam 10", "di bengkel aja"),
        Wish(parts=["pioneer-ts-a1670f"]),
    ),
    Persona(
        "one long polite line",
        "Selamat pagi Kak, perkenalkan saya Budi Santoso, saya ingin memasang speaker JBL Stage3 627F di mobil Toyota "
        "Avanza tahun 2018 saya, kalau bisa hari Rabu jam 10 pagi di bengkel, pembayarannya pakai QRIS, terima kasih",
        Wish(parts=["jbl-stage3-627f"]),
        habits(Habit.POLITE),
    ),
    Persona(
        "abbreviated",
        "kak sy mw psg hu android di xpander 2019 sbtu jm 10 bs ga?",
        Wish(parts=["headunit"], car="Xpander 2019", day="sabtu"),
        habits(Habit.SHORT),
    ),
    Persona(
        "a car by its nickname",
        "mw pasang spiker avansa 2018 bsk jm10",
        Wish(parts=["speaker"], day="besok"),
        habits(Habit.TYPOS, Habit.SHORT),
    ),
    Persona(
        "needs an adapter",
        "pasang avix intelligent pro 9 di brio 2019 rabu jam 10",
        Wish(parts=["avix-intelligent-pro-9"], car="Brio 2019"),
        habits(Habit.BRIEF),
    ),
    Persona(
        "a part that doesn't fit",
        "mau pasang nakamichi legend pro 9 di kijang 2000 rabu jam 10",
        Wish(parts=["headunit"], car="Kijang 2000"),
        habits(Habit.BRIEF),
    ),
    Persona(
        "a car nobody knows",
        "pasang venom v9 plus di Timor S515 1998 rabu jam 10",
        Wish(parts=["venom-v9-plus"], car="Timor S515 1998"),
        staff_hear=["Timor.*V9 Plus|V9 Plus.*Timor"],
    ),
    Persona(
        "sold out, takes another",
        "mau pasang boston s65 di avanza 2018 rabu jam 10",
        Wish(parts=["speaker"]),
        habits(Habit.BRIEF),
    ),
    Persona(
        "sold out, wants to be told",
        "boston s65 ada?",
        Wish(parts=["boston-s65"]),
        on_the_way=[at("part|category|menu", "kabarin kalau boston s65 ada lagi ya")],
        end=End.ALERT,
    ),
    Persona(
        "a full hour, waits",
        "mau tuning audio brio 2019 rabu jam 10",
        Wish(services=["tuning-audio"], car="Brio 2019"),
        habits(Habit.BRIEF),
        full=[("rabu", 10)],
        on_the_way=[at("hour", "antre aja jam 10")],
        end=End.WAITING,
    ),
    Persona(
        "a full hour, takes another",
        "mau tuning audio brio 2019 rabu jam 10",
        Wish(services=["tuning-audio"], car="Brio 2019", hour=None),
        full=[("rabu", 10), ("rabu", 11)],
    ),
    Persona(
        "a day on which the shop is closed",
        "mau pasang kenwood kfc s1676ex avanza 2018 minggu jam 10",
        Wish(parts=["kenwood-kfc-s1676ex"], day="minggu"),
        on_the_way=[at("day|hour", "ya udah senin aja", day="senin")],
    ),
    Persona(
        "a friend's car",
        "mau booking buat mobil temen, jazz 2016, pasang kamera mundur venom vrc 360 jumat jam 2 siang",
        Wish(parts=["venom-vrc-360"], car="Jazz 2016", day="jumat", hour=14),
    ),
    Persona(
        "gives e-mail and plate",
        "pasang ads ad 6200 di avanza 2018 rabu jam 13",
        Wish(parts=["ads-ad-6200"], hour=13, email="budi@gmail.com", plate="B 1234 XYZ"),
    ),
    Persona(
        "a landline first",
        "mau tuning audio avanza 2018 rabu jam 10",
        Wish(services=["tuning-audio"]),
        on_the_way=[at("phone", "0217654321")],
        channel="telegram",
    ),
    Persona(
        "the name is in the profile",
        "mau tuning audio avanza 2018 rabu jam 13",
        Wish(services=["tuning-audio"], hour=13),
        on_the_way=[at("name", "sama kayak nama wa aja")],
    ),
)
