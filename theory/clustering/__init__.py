"""What representations cluster (Ben-Shaul et al. 2023): claims on the measures themselves, by exact and random data."""
