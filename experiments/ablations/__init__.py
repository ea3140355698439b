"""The tables of Tian, Chen & Ganguli (2021) on networks: trained once, kept as small records, and read by the studies.

    python -m experiments.ablations digits                # half an hour on two cores: the digits and a small MLP
    python -m experiments.ablations stl10 --size full     # ResNet-18 as in the paper, on an accelerator; not yet run

Both go on where they were stopped. `experiments/studies/ablations/` reads what they leave.
"""
