"""From the user's data to batches."""
