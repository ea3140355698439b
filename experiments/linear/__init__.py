"""Linear BYOL trained by gradient descent on real pairs of views, which the integrated flows are held against."""
