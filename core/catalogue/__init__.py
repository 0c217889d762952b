"""Parts, services, cars and technicians: `snapshot`, `search`, `fit`, `edit`; files: `cells`, `csv_rows`, `csv_files`, `clearing`."""
