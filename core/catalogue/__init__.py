"""Parts, services, cars and technicians: `snapshot`, `search`, `fit`, `edit`, `csv_files` and `csv_rows`."""
