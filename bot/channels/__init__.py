"""Telegram, WhatsApp and e-mail: rendering, sending, and fetching messages that came by no webhook."""
