"""Results of this project beyond the papers: equilibria for any data, the skew part, the optimal predictor, …"""
