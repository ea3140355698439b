"""The tables and Figs. 2 and 6 of Tian, Chen & Ganguli (2021), and DirectCopy's: claims read from stored records.

`python -m experiments.ablations` trains; here each claim is decided from what that left. A run of size `cpu` reads the
digits on a small MLP, one of size `full` ResNet-18 on STL-10 (no such record is kept yet: 'not run', with the command).
The published numbers stand beside ours, which are of another network on other images: these claims are open. An effect
is a mean of differences of runs with the same seed; `statistics` has the rule of the verdict. What no such training
can say stands in `elsewhere`.
"""
