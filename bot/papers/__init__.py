"""PDF papers, pictures and spreadsheets, and the photos that people sent."""
