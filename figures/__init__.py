"""One file a figure: `data(fast, results)` computes or reads numbers, `draw(data)` gives a matplotlib figure."""
