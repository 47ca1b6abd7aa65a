"""The options of a run, by what they are about; `programs.settings` puts them together."""
