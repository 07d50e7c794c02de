"""Store people, their schema and their history; the only code that writes them. See docs/architecture.md."""
