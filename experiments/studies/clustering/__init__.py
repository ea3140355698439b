"""What representations cluster (Ben-Shaul et al. 2023, arXiv 2305.15614): claims read from the stored records.

`python -m experiments.clustering` trains and measures; here each claim is decided from what that left, by one rule
(`evidence`): an effect counts where its mean over the training seeds exceeds two standard deviations. The networks are
small, so what the paper says of RES-5-250 after 1000 epochs is neither expected nor excluded of them: these claims are
open, and either outcome is reported with its numbers. Where CIFAR-100 has a record it decides, and the digits stand
beside it.
"""
