"""Evidence: what a runner hands over of a run, the files it becomes, and how a person reads it."""
