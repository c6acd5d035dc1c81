"""Neural recommenders, with one training loop. PyTorch is imported when a model is fitted or asked, never before."""
