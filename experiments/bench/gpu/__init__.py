"""What one NVIDIA card gives: numbers that agree with a CPU's, trajectories and images a second, and DirectPred."""
