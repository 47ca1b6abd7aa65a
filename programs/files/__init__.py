"""Files that a crash cannot tear: written as a whole, moved aside, appended to by the line."""
