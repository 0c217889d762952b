"""People who ask before they buy, and in between."""

from persona import End, Habit, Persona, Wish, at, habits

PEOPLE = (
    Persona(
        "asks about the warranty first",
        "speaker venom virus v6.2 garansinya berapa lama kak?",
        Wish(parts=["venom-virus-v6-2"], car="Brio 2019", day="sabtu", hour=13),
        goes_on=["oke mau pasang venom virus v6.2 di brio 2019 sabtu jam 1 siang"],
    ),
    Persona(
        "warranty in the first line",
        "pasang subwoofer venom pandora vp 10 di brio 2019 rabu jam 10 garansi berapa lama ya",
        Wish(parts=["venom-pandora-vp-10"], car="Brio 2019"),
    ),
    Persona(
        "the address in the first line",
        "mau pasang ads ad 6200 di rush 2019 kamis jam 2 siang, alamatnya dimana ya?",
        Wish(parts=["ads-ad-6200"], car="Rush 2019", day="kamis", hour=14),
    ),
    Persona(
        "asks for instalments",
        "bisa cicil ga kak? mau pasang head unit venom v9 plus di avanza 2018",
        Wish(parts=["venom-v9-plus"], hour=13, pay="50"),
        goes_on=["mau pasang venom v9 plus di avanza 2018"],
    ),
    Persona(
        "compares two",
        "bagusan mana head unit skeleton sama avix kak?",
        Wish(parts=["avix-intelligent-pro-9"], car="Brio 2019"),
        goes_on=["ya udah avix intelligent pro 9 aja buat brio 2019 rabu jam 10"],
    ),
    Persona(
        "by attributes",
        "power 4 channel ada apa aja?",
        Wish(parts=["venom-diablo-vd-4-100"], car="Rush 2019"),
        goes_on=["yang venom diablo aja, pasang di rush 2019 rabu jam 10"],
    ),
    Persona(
        "the cheapest",
        "head unit android yang paling murah apa kak buat calya 2019?",
        Wish(parts=["headunit"], at_most=2_000_000, car="Calya 2019"),
        goes_on=["oke mau yang itu, pasang rabu jam 10"],
    ),
    Persona(
        "a brand",
        "speaker pioneer ada? buat avanza 2018",
        Wish(parts=["pioneer-ts-a1670f"], hour=11),
        goes_on=["pioneer ts a1670f aja, mau pasang"],
    ),
    Persona(
        "price, then yes",
        "pasang head unit brp kak?",
        Wish(services=["pasang-head-unit"], car="Brio 2019"),
        goes_on=["ok mau pasang head unit saya sendiri di brio 2019 rabu jam 10"],
    ),
    Persona(
        "questions in between",
        "mau pasang jbl stage3 627f di avanza 2018",
        Wish(parts=["jbl-stage3-627f"]),
        on_the_way=[
            at("day", "jam buka sampai jam berapa ya?"),
            at("hour", "pengerjaannya berapa lama kak?"),
            at("technician|name|plan|summary", "garansinya berapa lama?"),
            at("plan|summary", "alamatnya dimana ya?"),
        ],
    ),
    Persona(
        "is it original",
        "mau tuning audio avanza 2018 rabu jam 10",
        Wish(services=["tuning-audio"]),
        on_the_way=[at("technician|name|plan|summary", "teknisinya berpengalaman kan kak?")],
    ),
    Persona(
        "haggles",
        "mau pasang venom v9 plus di avanza 2018 rabu jam 10",
        Wish(parts=["venom-v9-plus"]),
        on_the_way=[at("more|more_services|technician|plan|summary", "kurangin dong kak, 2,3 juta ya")],
    ),
    Persona(
        "how much down",
        "mau pasang avix intelligent pro 9 di xenia 2019 rabu jam 10",
        Wish(parts=["avix-intelligent-pro-9"], car="Xenia 2019", pay="40"),
        on_the_way=[at("more|technician|plan|summary", "bisa dp dulu berapa?")],
    ),
    Persona("not our trade", "motor bisa ga bang?", Wish(), end=End.NOTHING),
    Persona("lamps", "lampu led ada?", Wish(), goes_on=["oh ya udah makasih"], end=End.NOTHING),
    Persona(
        "wants a person",
        "mau ngomong sama orang aja bisa?",
        Wish(),
        end=End.NOTHING,
        staff_hear=["Budi Santoso|6281234567890"],
    ),
    Persona(
        "a dashcam",
        "dashcam ada? berapa",
        Wish(parts=["nakamichi-nd28"], car="Rush 2019", day="kamis", hour=11),
        habits(Habit.SHORT),
        goes_on=["mau dashcam nakamichi nd28, pasang di rush 2019 kamis jam 11"],
    ),
    Persona(
        "how late are you open",
        "hari sabtu buka sampe jam brp?",
        Wish(services=["cek-audio"], car="Jazz 2016", day="sabtu", hour=13),
        goes_on=["mau cek audio jazz 2016 sabtu jam 1 siang"],
    ),
)
