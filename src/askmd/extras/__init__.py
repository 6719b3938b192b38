"""What an extra brings: one module each, imported when it is chosen."""
