"""What every page stands on: sessions, forms, brand, languages, components and static files."""
