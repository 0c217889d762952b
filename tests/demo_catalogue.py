"""The demo catalogue without a database."""

from importlib.resources import files
from typing import Any

from core.catalog import Catalogue
from core.catalog_files import read
from core.tables import Car, Part, Service, Technician

FILES = {
    file.name: file.read_text("utf-8")
    for file in files("bot.sandbox").joinpath("catalogue").iterdir()
    if file.name.endswith(".csv")
}


def _entries(name: str, table: type) -> dict[str, Any]:
    return {line.row.id: table(**line.row.model_dump(exclude={"retired"})) for line in read({name: FILES[name]})}


DEMO = Catalogue(
    version=1,
    parts=_entries("parts.csv", Part),
    services=_entries("services.csv", Service),
    cars=_entries("cars.csv", Car),
    technicians=_entries("technicians.csv", Technician),
)
