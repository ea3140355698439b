"""Theory against networks: from a run's moments and spectrum at one time, what it does later.

    python -m experiments.confrontation digits                # minutes on two cores: a linear map and a small MLP
    python -m experiments.confrontation cifar10 --size full   # ResNet-18 on an accelerator; not yet run

Both go on where they were stopped. `experiments/studies/confrontation/` says what is predicted, and judges it.
"""
