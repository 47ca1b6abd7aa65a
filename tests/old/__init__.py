"""What earlier versions wrote, or some lines of it.

document    version 0.1.0: two traces of the second of two texts (passages.jsonl), one attempt turned down; judged, graded,
            and with steps checked. What it counts is of both texts
screened    the last version whose runs left out questions themselves: four texts, three traces; four questions dropped that
            other texts had asked, one that gives a benchmark away; a trace withdrawn with its question, one that gives a
            benchmark away itself, and one whose first attempt does
"""
