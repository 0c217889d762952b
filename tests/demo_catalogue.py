"""The demo catalogue without a database."""

from importlib.resources import files

from core.catalogue.csv_files import as_catalogue, read

FILES = {
    file.name: file.read_text("utf-8")
    for file in files("bot.sandbox").joinpath("catalogue").iterdir()
    if file.name.endswith(".csv")
}
DEMO = as_catalogue(read(FILES))
