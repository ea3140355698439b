"""Theory against networks: what a run's moments and spectrum at one time say of its later modes, and what they do not.

`python -m experiments.confrontation` trains and measures; `predictions` has the theory, in words and numbers, `errors`
how it is judged, `verdicts` what came of it.
"""
