"""Tian, Chen & Ganguli (2021): its lemma, theorems, equations, observations, figures, tables and errata."""
