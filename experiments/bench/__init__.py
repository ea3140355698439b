"""Benchmarks: this library's engines against others at equal measured error."""
