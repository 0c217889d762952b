"""PDF papers, charts, spreadsheets and stored photos."""
