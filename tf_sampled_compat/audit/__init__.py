"""Whether a sampler draws what it says: many draws, tested against the stated expected counts."""
