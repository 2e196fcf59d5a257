"""Writers of answers: this project's engine and other models, each in its own file behind `Backend`."""
