"""The folder of a run: its checkpoints, tables and record, written so that a kill at any moment loses nothing."""
