"""Tasks: what is asked of a text, and how an answer is read from logits."""
