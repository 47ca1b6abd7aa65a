"""What earlier versions wrote.

document    version 0.1.0: two texts, four traces, one attempt turned down; judged, graded, and with steps checked
screened    the last version whose runs left out questions themselves: four texts, three traces; four questions dropped that
            other texts had asked, one that gives a benchmark away; a trace withdrawn with its question, one that gives a
            benchmark away itself, and one whose first attempt does
"""
