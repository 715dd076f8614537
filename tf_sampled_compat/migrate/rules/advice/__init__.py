"""The rules for what a person must look at, each with its reason and the way out."""
