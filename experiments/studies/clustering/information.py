"""Does I(input; representation) fall in training, and with it what is spread within clusters (Fig. 3)?

`linbyol.representation.mine` estimates it. The representation is a function of the input, so that the information is
infinite, or log N on N images, unless noise is added: a record must hold the noise, five initialisations, the ceiling
and the untrained control for each epoch. None does yet.
"""

from linbyol.claims import Run, Verdict, claim, not_run

WHY = "needs I(X; Z + noise) by linbyol.representation.mine, five initialisations an epoch, which no record holds yet"


@claim(
    "C10",
    title="I(X; Z) falls in training",
    statement="The information between input and representation, by MINE with five initialisations and noise added to "
    "the representation, is smaller after training than before, beyond the spread.",
    source="Fig. 3",
    kind="real data",
    expected="open",
)
def compression(run: Run) -> Verdict:
    return not_run(WHY)


@claim(
    "C58",
    title="Compression and clustering go together",
    statement="Over the epochs the information has a positive rank correlation with CDNV and a negative one with NCC.",
    source="Section on information",
    kind="real data",
    expected="open",
)
def with_clustering(run: Run) -> Verdict:
    return not_run(WHY)
