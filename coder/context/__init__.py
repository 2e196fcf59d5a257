"""What is shown to the model around the cursor."""
