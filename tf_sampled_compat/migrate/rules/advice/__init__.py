"""What a person must look at: each rule with its reason and the way out."""
