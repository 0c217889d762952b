"""People who have booked and want something more."""

from persona import End, Habit, Persona, Wish, at, habits, then

MOVES = r"^pindah jadwal|^reschedule|^ya, pindah|^yes, (move|reschedule)"
CANCELS = r"^batalkan booking|^cancel (this )?booking|^ya, batal|^yes, cancel"
PAYS = r"^bayar|^pay|^lunasi"
TUNING = "mau tuning audio brio 2019 rabu jam 10 di bengkel"
TUNED = Wish(services=["tuning-audio"], car="Brio 2019")
SPEAKERS = "mau pasang ads ad 6200 di brio 2019 rabu jam 10"
WITH_SPEAKERS = Wish(parts=["ads-ad-6200"], car="Brio 2019")

PEOPLE = (
    Persona("moves", TUNING, TUNED, later=[then("mau pindah ke jumat jam 2 siang", taps=MOVES, day="jumat", hour=14)]),
    Persona(
        "moves, not on that day",
        TUNING,
        TUNED,
        later=[then("kak rabu ga bisa, ganti sabtu jam 10 ya", taps=MOVES, day="sabtu")],
    ),
    Persona(
        "moves by buttons",
        TUNING,
        TUNED,
        habits(Habit.TAPS),
        later=[then("booking saya", taps=MOVES, day="kamis", hour=11)],
    ),
    Persona(
        "moves in English",
        "i want an audio tuning for my brio 2019 on wednesday at 10",
        TUNED,
        habits(Habit.ENGLISH),
        later=[then("can i move it to friday 2pm?", taps=MOVES, day="jumat", hour=14)],
    ),
    Persona("cancels", TUNING, TUNED, later=[then("batalin", taps=CANCELS)], end=End.CANCELLED),
    Persona(
        "cancels politely",
        TUNING,
        TUNED,
        habits(Habit.POLITE),
        later=[then("maaf kak, saya mau batalkan bookingnya, ada keperluan mendadak", taps=CANCELS)],
        end=End.CANCELLED,
    ),
    Persona(
        "adds a camera",
        SPEAKERS,
        WITH_SPEAKERS,
        later=[then("nambah kamera mundur venom vrc 360 sekalian ya", parts=["ads-ad-6200", "venom-vrc-360"])],
    ),
    Persona(
        "another part later",
        SPEAKERS,
        WITH_SPEAKERS,
        later=[
            then("speakernya bisa ganti venom virus v6.2 aja ga?", taps=r"^ya", parts=["venom-virus-v6-2"]),
        ],
    ),
    Persona(
        "another technician",
        "mau tuning audio brio 2019 jumat jam 10 sama dedi",
        Wish(services=["tuning-audio"], car="Brio 2019", day="rabu", technician="rizky"),
        on_the_way=[at("summary|plan", "rabu jam 10 aja sama rizky")],
        later=[then("teknisi rizky bisa diganti dedi ga?", taps=r"^ya", technician="dedi")],
    ),
    Persona(
        "another car later",
        TUNING,
        TUNED,
        later=[then("kak mobilnya ganti avanza 2018 ya, brio lagi dipake", taps=r"^ya", car="Avanza 2018")],
    ),
    Persona(
        "pays the rest",
        SPEAKERS,
        Wish(parts=["ads-ad-6200"], car="Brio 2019", pay="30"),
        later=[then("mau lunasin sisanya", taps=PAYS, pay="full")],
    ),
    Persona(
        "proof of a transfer",
        TUNING,
        TUNED,
        on_the_way=[at("link", "sudah transfer, ini buktinya", photo=True)],
        pays=False,
        end=End.UNPAID,
        staff_hear=["transfer|bukti"],
        staff_see_a_photo=True,
    ),
    Persona(
        "the money is gone",
        TUNING,
        TUNED,
        on_the_way=[at("link", "kak uang saya sudah kepotong tapi belum ada konfirmasi")],
        pays=False,
        end=End.UNPAID,
        staff_hear=["kepotong"],
    ),
    Persona(
        "a complaint with a photo",
        SPEAKERS,
        WITH_SPEAKERS,
        later=[then("speaker kanannya kresek2, padahal baru dipasang", photo=True, after_the_job=True, away=30)],
        staff_hear=["kresek"],
        staff_see_a_photo=True,
    ),
    Persona(
        "a warranty claim",
        "mau pasang venom v9 plus di avanza 2018 rabu jam 10",
        Wish(parts=["venom-v9-plus"]),
        later=[then("kak head unitnya mati total, mau klaim garansi", after_the_job=True, away=24 * 20)],
        staff_hear=["mati total"],
    ),
    Persona(
        "is disappointed",
        TUNING,
        TUNED,
        later=[then("kecewa saya, suaranya malah jadi jelek", after_the_job=True, away=20)],
        staff_hear=["kecewa"],
    ),
    Persona("on the way", TUNING, TUNED, later=[then("saya otw ya bang", away=49)], staff_hear=["otw"]),
    Persona("late", TUNING, TUNED, later=[then("telat 30 menit, macet", away=49)], staff_hear=["telat 30 menit"]),
    Persona("says thanks", TUNING, TUNED, later=[then("ok siap kak"), then("👍"), then("makasih ya")]),
    Persona(
        "wants to talk about it",
        TUNING,
        TUNED,
        later=[then("bisa ditelpon adminnya ga? mau nanya langsung")],
        staff_hear=["Budi Santoso|6281234567890"],
    ),
    Persona(
        "a second car",
        TUNING,
        TUNED,
        later=[
            then(
                "mau booking lagi buat avanza 2018, cek audio kamis jam 13",
                services=["cek-audio"],
                car="Avanza 2018",
                day="kamis",
                hour=13,
            )
        ],
        also=[TUNED],
    ),
    Persona("stop", TUNING, TUNED, later=[then("jangan kirim pesan lagi"), then("makasih")]),
    Persona(
        "cancels and wants to be forgotten",
        TUNING,
        TUNED,
        later=[then("batalin", taps=CANCELS), then("hapus data saya", taps=r"^ya")],
        end=End.ERASED,
    ),
    Persona(
        "where is the technician",
        "mau tuning audio brio 2019 kamis jam 10 di rumah",
        Wish(services=["tuning-audio"], car="Brio 2019", day="kamis", address="Jl. Kemang Raya 8, Jakarta Selatan"),
        later=[then("teknisinya udah sampe mana ya kak?", away=74)],
    ),
)
