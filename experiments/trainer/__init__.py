"""The trainer: small self-supervised networks on real images, several lanes at once, on all devices of all hosts."""
