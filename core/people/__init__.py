"""Customers and their chats: `contacts`, `web_customers` (by Clerk user), `privacy` (export, erase), `retention`."""
