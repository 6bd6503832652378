"""What networks learn from: packed pictures, the marks and holes drawn over them, and the batches made of both."""
