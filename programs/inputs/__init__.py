"""Input: from JSON lines, papers and tables to a stream of `Sample`s, whatever state the files are in (`reader`)."""
