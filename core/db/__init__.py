"""The database: `tables` (what is kept), `database` (engines and sessions), `backup`, `copying`, `migrations`."""
