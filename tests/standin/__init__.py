"""A fake server for tests, over real HTTP: Argo or an OpenAI-compatible server."""
