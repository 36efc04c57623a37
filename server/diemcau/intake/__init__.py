"""What comes in: office files as they really are, read into rows and findings. No SQL, no web."""
