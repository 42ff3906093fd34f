"""What may be said of an answer, one grader a file: by its text, by a figure, or by a judge."""
