"""Turn files into changes to profiles. See docs/architecture.md."""
