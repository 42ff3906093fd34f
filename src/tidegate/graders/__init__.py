"""What judges an answer, one file each."""
