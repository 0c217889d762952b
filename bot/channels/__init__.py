"""Telegram, WhatsApp and e-mail: sending, rendering, and fetching what no webhook brought."""
