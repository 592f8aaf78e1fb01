"""One day of the demonstration hospital, lived through the API: who comes, who works there, and who counts them all at its end."""
