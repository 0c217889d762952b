"""The demo catalogue's names, as `understand` is given them."""

import csv
from pathlib import Path

import pytest

import bot.sandbox
from conversations.understand import Lexicon
from core.catalog import Catalogue
from core.tables import Car, Part, Service, Technician

FOLDER = Path(bot.sandbox.__file__).parent / "catalogue"


@pytest.fixture(scope="session")
def lexicon() -> Lexicon:
    """Built once, as the program does."""
    return Lexicon.of(
        Catalogue(
            version=1,
            parts={row["id"]: Part(**_of(row, "id", "name", "category", "brand")) for row in _rows("parts")},
            services={row["id"]: Service(**_of(row, "id", "name", "category")) for row in _rows("services")},
            cars={row["id"]: Car(**_of(row, "id", "brand", "model")) for row in _rows("cars")},
            technicians={row["id"]: Technician(**_of(row, "id", "name")) for row in _rows("technicians")},
        )
    )


def _rows(name: str) -> list[dict[str, str]]:
    with (FOLDER / f"{name}.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def _of(row: dict[str, str], *names: str) -> dict[str, object]:
    return {name: row[name] for name in names} | {"aliases": [alias for alias in row["aliases"].split("|") if alias]}
