// Texts of the two apps, in the language of the phone.

const WORDS = {
  id: {
    write: "Ketik pesan", send: "Kirim", attach: "Lampirkan", more: "Menu", close: "Tutup", today: "Hari ini",
    online: "online", bot: "bot", typing: "mengetik…", edited: "diedit", newest: "Ke pesan terbaru", chat: "Isi chat",
    start: "MULAI", about: "Apa yang bisa dilakukan bot ini?", about_more: "Booking pasang audio mobil, cek harga dan stok, lalu bayar di sini.",
    staff_start: "MENU STAF",
    owner: "HP pemilik", owner_more: "Kabar booking dan pembayaran masuk ke sini. Teknisi ditugaskan lewat menu staf.",
    technician: "HP teknisi", technician_more: "Tugas masuk ke sini: mulai, catatan dan foto, biaya tambahan, selesai.",
    safe: "Simulasi: pesan di sini tidak keluar dari komputer ini.",
    photo: "Foto", sample: "Contoh foto", place: "Lokasi", contact: "Nomor saya",
    send_place: "Kirim lokasi", here: "Lokasi saya saat ini", here_more: "Akurat sampai 12 meter",
    block: "Blokir bengkel", unblock: "Buka blokir", blocked: "Bengkel ini Kakak blokir. Ketuk untuk membuka.",
    fresh: "Mulai sebagai orang baru", failed: "Tidak terkirim", contact_of: "Kontak", shared_place: "Lokasi",
    sent: "Terkirim", delivered: "Tersampaikan", read: "Dibaca", picture: "Foto",
  },
  en: {
    write: "Message", send: "Send", attach: "Attach", more: "Menu", close: "Close", today: "Today",
    online: "online", bot: "bot", typing: "typing…", edited: "edited", newest: "To the newest message", chat: "Messages",
    start: "START", about: "What can this bot do?", about_more: "Book a car-audio job, check prices and stock, and pay right here.",
    staff_start: "STAFF MENU",
    owner: "The owner's phone", owner_more: "News of bookings and payments comes in here. Technicians are assigned by the staff menu.",
    technician: "The technician's phone", technician_more: "Jobs come in here: start, notes and photos, additional costs, done.",
    safe: "Simulation: messages here don't leave this computer.",
    photo: "Photo", sample: "Sample photo", place: "Location", contact: "My number",
    send_place: "Send location", here: "My current location", here_more: "Accurate to 12 metres",
    block: "Block the shop", unblock: "Unblock", blocked: "You blocked this shop. Tap to unblock.",
    fresh: "Start as a new person", failed: "Not sent", contact_of: "Contact", shared_place: "Location",
    sent: "Sent", delivered: "Delivered", read: "Read", picture: "Photo",
  },
};

export const words = (language) => WORDS[language] || WORDS.en;
