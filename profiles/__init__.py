"""What is known about people, and the only code that writes it. See docs/architecture.md."""
