"""Statistical tests of samplers: many draws, tested against the expected counts they state."""
