"""How a file, or a request, becomes changes to profiles. See docs/architecture.md."""
