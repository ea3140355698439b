"""What representations cluster (Ben-Shaul et al. 2023): networks trained once, kept, and measured for all the studies.

    python -m experiments.clustering digits                 # minutes: trains, measures, writes experiments/results/
    python -m experiments.clustering cifar100 --size full   # RES-5-250 as in the paper, on an accelerator

Both go on where they were stopped. `experiments/studies/clustering/` reads what they leave.
"""
