"""The networks of neural recommenders, and what they are trained on. They import PyTorch."""
