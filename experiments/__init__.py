"""Real data: data sets, augmentation, training, and studies that put the predictions to the test."""
