"""The newer theories around BYOL: deep linear JEPA and MAE, and those that README.md names."""
