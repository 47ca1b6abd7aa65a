"""Input: turns JSON lines, papers and tables, even damaged ones, into a stream of `Sample`s (`reader`)."""
