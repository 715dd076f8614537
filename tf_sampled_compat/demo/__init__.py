"""The demo: one small model of real text, trained with each loss."""
