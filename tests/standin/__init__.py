"""A real HTTP server that stands in for Argo and for OpenAI-compatible servers in tests."""
